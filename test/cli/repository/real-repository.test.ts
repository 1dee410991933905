import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backtrail, completedOf, jsonOf } from '../../helpers/program/cli.ts';
import { createRepo, isolatedEnv, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

const bundle = join(process.env['BACKTRAIL_REAL_REPOS'] ?? '/nowhere', 'kubernetes-management.bundle');
const CONFIG = `version: 1
layout:
  environment: [ "clusters/{environment}.yaml" ]
  service:
    - "clusters/{environment}.yaml#/releases[name={service}]"
    - "config/{environment}/{service}.yaml"
`;
const FILE = 'clusters/publick8s.yaml';
const SERVICE = 'publick8s/datadog';

const entries = z.looseObject({
  total: z.number().min(100),
  revisions: z.array(z.looseObject({ commit: z.string(), current: z.boolean() })).length(3),
});
const changes = z.looseObject({
  changes: z.array(
    z.looseObject({ service: z.string().nullable(), files: z.array(z.looseObject({ path: z.string() })) }),
  ),
});

describe.skipIf(!existsSync(bundle))(
  'a clone of a production repository (needs BACKTRAIL_REAL_REPOS)',
  () => {
    let repo: Repo;
    let config = '';
    beforeAll(async () => {
      const { env } = await isolatedEnv();
      const parent = await temporaryFolder();
      const at = await createRepo({ folder: join(parent, 'outside'), env });
      await at.git('clone', '--quiet', '-b', 'main', bundle, join(parent, 'clone'));
      repo = await createRepo({ folder: join(parent, 'clone'), env });
      config = join(parent, 'layout.yaml');
      await writeFile(config, CONFIG);
    });

    const run = (...args: string[]) => backtrail(repo, ['--config', config, ...args, '-o', 'json']);
    const rollBack = async (...args: string[]) => {
      const before = await repo.git('rev-parse', 'main');
      const result = completedOf(await run('rollback', ...args, '--yes', '--reason', 'It is worse'));
      expect(await repo.git('rev-parse', 'main', 'main~1')).toBe(`${result.commit}\n${before}`);
      // The upstream is the bundle's file: it cannot be written, and the result says that it was not.
      expect(result.findings.map(({ code }) => code)).toContain('UPSTREAM_NOT_UPDATED');
      const stat = await repo.git('diff', '--numstat', before, result.commit);
      expect(await repo.git('status', '--porcelain')).toBe('');
      return { ...result, stat: stat.split('\n') };
    };

    it.runIf(isProof)('environments, history, show, compare and plan say what is there', async () => {
      const { environments } = jsonOf(
        await run('environments'),
        z.object({
          environments: z.array(z.object({ environment: z.string(), services: z.array(z.string()) })),
        }),
      );
      expect(environments.map(({ environment }) => environment)).toEqual([
        'cijioagents2',
        'infracijioagents1',
        'privatek8s-sponsored',
        'publick8s',
      ]);
      expect(environments.at(-1)?.services).toContain('datadog');
      const { revisions } = jsonOf(await run('history', SERVICE, '--limit', '3'), entries);
      expect(revisions.map(({ current }) => current)).toEqual([true, false, false]);
      const shown = jsonOf(
        await run('show', SERVICE, 'previous'),
        z.looseObject({ files: z.array(z.looseObject({ path: z.string(), text: z.string() })) }),
      );
      expect(shown.files.map(({ path }) => path)).toEqual([FILE, 'config/publick8s/datadog.yaml']);
      expect(shown.files[0]?.text).toMatch(/^ {2}- name: datadog\n/);
      const compared = jsonOf(await run('compare', SERVICE, 'previous'), changes);
      const planned = jsonOf(await run('plan', SERVICE), changes);
      expect(planned.changes.map(({ service }) => service)).toEqual(['datadog']);
      expect(planned.changes[0]?.files.map(({ path }) => path)).toEqual(
        compared.changes[0]?.files.map(({ path }) => path),
      );
    });

    it('a field rollback of one release changes exactly its line', async () => {
      const before = await repo.git('show', `main:${FILE}`);
      const { stat, commit } = await rollBack(SERVICE, '--field', `${FILE}#/releases[name=datadog]/version`);
      expect(stat).toEqual([`1\t1\t${FILE}`]);
      const [old, now] = [before, await repo.git('show', `${commit}:${FILE}`)].map((text) =>
        text.split('\n'),
      );
      const changed = (now ?? []).flatMap((line, index) => (line === old?.[index] ? [] : [index]));
      expect(changed).toHaveLength(1);
      expect(now?.[changed[0] ?? 0]).toMatch(/^ {4}version: \d/);
    });

    it.runIf(isProof)('a service rollback stays in its release and its file', async () => {
      const { stat, mode } = await rollBack('publick8s/ldap');
      expect(mode).toBe('service');
      for (const line of stat)
        expect(line).toMatch(/\t(clusters\/publick8s\.yaml|config\/publick8s\/ldap\.yaml)$/);
    });

    it('an environment rollback stays in its cluster', async () => {
      const { stat, mode } = await rollBack('cijioagents2');
      expect(mode).toBe('full');
      for (const line of stat)
        expect(line).toMatch(/\t(clusters\/cijioagents2\.yaml|config\/cijioagents2\/[^/]+\.yaml)$/);
    });

    it('the log tells of all of them, and git can still push to where it came from later', async () => {
      const { rollbacks } = jsonOf(
        await run('log'),
        z.object({
          rollbacks: z.array(
            z.looseObject({ mode: z.string(), scope: z.string(), problems: z.array(z.string()) }),
          ),
        }),
      );
      expect(rollbacks.map(({ mode, scope, problems }) => [mode, scope, problems])).toEqual([
        ['full', 'cijioagents2', []],
        ...(isProof ? [['service', 'publick8s/ldap', []]] : []),
        ['field', SERVICE, []],
      ]);
      expect(await repo.git('rev-list', '--count', 'origin/main..main')).toBe(isProof ? '3' : '2');
      // What was done in this process, with a configuration of the user's own, has no request in the ledger.
      expect(await repo.git('for-each-ref', '--format=%(refname)', 'refs/backtrail')).toBe('');
    });
  },
);
