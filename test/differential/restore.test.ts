import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cloneRepo, createRepo, type Files, type Repo } from '../helpers/repositories/repo.ts';
import { engineOf, rollBack } from '../helpers/repositories/engine.ts';
import { runs } from '../helpers/run/proof.ts';

const CONFIG = `version: 1
layout:
  environment: ["tenants/{tenant}/{environment}/**"]
  service: ["tenants/{tenant}/{environment}/services/{service}/**"]
keep: ["**/never-kept-here"]
`;

const name = fc.constantFrom('api', 'billing', 'web');
const file = fc.constantFrom(
  'service.yaml',
  'config/app.properties',
  'config',
  'data.bin',
  'ünïcode name.yaml',
  'quo"te\\d.txt'.replace('\\', ''),
);
const content = fc.oneof(
  fc.constantFrom('a: 1\n', 'a: 2\n', 'image: { tag: v1 }\n', 'no newline at the end', ''),
  fc.uint8Array({ minLength: 1, maxLength: 8 }),
  fc.constant({ link: '../../../../etc/passwd' }),
  fc.constantFrom('#!/bin/sh\n', '#!/bin/bash\n').map((executable) => ({ executable })),
);
const place = fc.tuple(fc.constantFrom('acme', 'globex'), fc.constantFrom('staging', 'production'));
const change = fc.tuple(
  place,
  fc.option(name, { nil: null, freq: 4 }),
  file,
  fc.option(content, { nil: null, freq: 3 }),
);

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** Applies changes to a set of files; a file takes the place of a folder and the other way round. */
function apply(state: Map<string, Exclude<Files[string], null>>, changes: readonly Change[]): Files {
  const before = new Map(state);
  for (const [[tenant, environment], service, path, value] of changes) {
    const full = `tenants/${tenant}/${environment}/${service === null ? '' : `services/${service}/`}${path}`;
    state.delete(full);
    if (value === null) continue;
    for (const other of state.keys())
      if (other.startsWith(`${full}/`) || full.startsWith(`${other}/`)) state.delete(other);
    state.set(full, value);
  }
  const files: Record<string, Files[string]> = {};
  for (const path of before.keys()) if (!state.has(path)) files[path] = null;
  for (const [path, value] of state) if (before.get(path) !== value) files[path] = value;
  return files;
}

async function buildHistory(history: readonly (readonly Change[])[]): Promise<Repo> {
  const repo = await createRepo();
  const state = new Map<string, Exclude<Files[string], null>>();
  const start = { '.backtrail/config.yaml': CONFIG, 'README.md': 'outside\n' };
  const commits = history.map((changes, index) => ({
    files: { ...(index === 0 && start), ...apply(state, changes) },
    message: `Change ${index}`,
  }));
  await repo.replay(commits);
  return repo;
}

/** What native git makes of the same wish: everything in scope as it was at the target, everything else as it is. */
async function restoredByGit(repo: Repo, target: string, path: string): Promise<string> {
  const clone = await cloneRepo(repo);
  const there = await clone.git('ls-tree', '-r', '--name-only', target, '--', path);
  if (there !== '') await clone.git('restore', `--source=${target}`, '--staged', '--worktree', '--', path);
  else await clone.git('rm', '-r', '--quiet', '--ignore-unmatch', '--', path);
  return clone.git('write-tree');
}

describe('whole paths, against git restore', () => {
  it('gives the tree of git restore in scope and the base outside, for any history, scope and target', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(change, { minLength: 1, maxLength: 8 }), { minLength: 3, maxLength: 7 }),
        place,
        fc.option(name, { nil: null }),
        fc.nat(),
        async (history, [tenant, environment], service, pick) => {
          const repo = await buildHistory(history);
          const line = (await repo.git('rev-list', '--first-parent', 'main')).split('\n');
          const target = line[pick % line.length] ?? '';
          const scope = [tenant, environment, service].filter((part) => part !== null).join('/');
          const path = `tenants/${tenant}/${environment}${service === null ? '' : `/services/${service}`}`;
          const touched = await repo.git('log', '--format=%H', '--', path);
          if (touched === '') return;
          const engine = await engineOf(repo);
          const expected = await restoredByGit(repo, target, path);
          const base = await repo.git('rev-parse', 'main^{tree}');
          const result = await rollBack(engine, { scope, to: target, allowRemoval: true });
          expect(await repo.git('rev-parse', 'main^{tree}')).toBe(expected);
          expect(result.status).toBe(expected === base ? 'unchanged' : 'completed');
          expect(await repo.git('status', '--porcelain')).toBe('');
          await engine.close();
          compared += 1;
        },
      ),
      { numRuns: runs(60, 4) },
    );
    expect(compared).toBeGreaterThan(runs(20, 0));
  });
});
