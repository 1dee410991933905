import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../engine/internal.ts';
import { rollBack } from '../../helpers/repositories/engine.ts';
import { planning, SHARED, type Planning } from '../../helpers/repositories/plan-repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

const LAYOUT = { version: 1, layout: { service: ['apps/{environment}/{service}/**'] }, keep: [] };
const lines = (name: string) => Array.from({ length: 20 }, (_, at) => `${name}${at}: ${at}\n`).join('');
const spec = (version: number) => `image: v${version}\n${lines('key')}`;

async function absence({ engine }: Planning, scope: string, to: string): Promise<Finding[]> {
  const { plan } = await engine.plan({ scope, to });
  return plan.findings.filter(({ code }) => code === 'TARGET_ABSENT');
}

describe('a target from before the layout of today', () => {
  it('is told by the old folder and the commit that moved it, however much changed since', async () => {
    const made = await planning(
      [
        { 'old/web/production/service.yaml': spec(1), 'old/web/production/config/a.yaml': lines('a') },
        {
          'old/web/production/service.yaml': null,
          'old/web/production/config/a.yaml': null,
          'apps/production/web/service.yaml': spec(1),
          'apps/production/web/config/a.yaml': lines('a'),
        },
        { 'apps/production/web/service.yaml': 'nothing: like it\n' },
        { 'apps/production/web/config/a.yaml': null },
      ],
      LAYOUT,
    );
    const [first = '', move = ''] = made.ids;
    expect(await absence(made, 'production/web', first)).toEqual([
      {
        code: 'TARGET_ABSENT',
        severity: 'block',
        message: `production/web did not exist at ${first.slice(0, 7)}; it was at old/web/production then.`,
        hint: `Commit ${move.slice(0, 7)} moved it here: choose a revision since that commit. \`git show ${first.slice(0, 7)}:old/web/production\` prints its old content; --allow-removal removes it.`,
        remedy: 'allow-removal',
      },
    ]);
  });

  it('is printed by a command that does nothing else, whatever the old folder is called', async () => {
    const moved = (folder: string) =>
      planning(
        [
          { [`${folder}/service.yaml`]: spec(1) },
          { [`${folder}/service.yaml`]: null, 'apps/prod/api/service.yaml': spec(1) },
        ],
        LAYOUT,
      );
    const made = await moved("old dir's/$(touch PWNED)/api");
    const hint = (await absence(made, 'prod/api', made.ids[0] ?? ''))[0]?.hint ?? '';
    const command = /`(git show .*)` prints/.exec(hint)?.[1] ?? '';
    const cwd = made.repo.gitDir;
    expect(execFileSync('/bin/sh', ['-c', command], { cwd, encoding: 'utf8' })).toContain('service.yaml');
    expect(existsSync(join(cwd, 'PWNED'))).toBe(false);
    const disguised = await moved('old\u202edir/api');
    const [found] = await absence(disguised, 'prod/api', disguised.ids[0] ?? '');
    expect(found?.hint).toMatch(/choose a revision since that commit\. --allow-removal removes it\.$/);
  });

  it('is not guessed from a file that is only half alike, or a part of the same name', async () => {
    const half = lines('key').split('\n').slice(0, 9).join('\n');
    const made = await planning(
      [
        { 'old/web.yaml': spec(1) },
        { 'old/web.yaml': null, 'apps/prod/web/service.yaml': `${half}\n${lines('other')}` },
      ],
      LAYOUT,
    );
    const [found] = await absence(made, 'prod/web', made.ids[0] ?? '');
    expect(found?.message).toBe(`prod/web did not exist at ${made.ids[0]?.slice(0, 7)}.`);
    const parts = await planning(
      [
        {
          'clusters/shared.yaml': 'releases:\n  - name: web\n    version: 1\n',
          'clusters/prod.yaml': 'releases:\n  - name: db\n',
        },
        {
          'clusters/shared.yaml': 'releases: []\n',
          'clusters/prod.yaml': 'releases:\n  - name: db\n  - name: web\n    chart: other\n',
        },
      ],
      SHARED,
    );
    const [other] = await absence(parts, 'prod/web', parts.ids[0] ?? '');
    expect(other?.message).toBe(`prod/web did not exist at ${parts.ids[0]?.slice(0, 7)}.`);
  });

  it.runIf(isProof)('is followed through several moves', async () => {
    const made = await planning(
      [
        { 'a/web.yaml': spec(1) },
        { 'a/web.yaml': null, 'b/web.yaml': spec(1) },
        { 'b/web.yaml': spec(2) },
        { 'b/web.yaml': null, 'apps/production/web/service.yaml': spec(2) },
      ],
      LAYOUT,
    );
    const [found] = await absence(made, 'production/web', made.ids[0] ?? '');
    expect(found?.message).toContain('; it was at a/web.yaml then.');
    expect(found?.hint).toContain(`Commit ${made.ids[3]?.slice(0, 7)} moved it here`);
  });

  it('is found for an environment whose folder was renamed, and for its services', async () => {
    const tree = (environment: string) => ({
      [`apps/${environment}/web/service.yaml`]: spec(1),
      [`apps/${environment}/api/service.yaml`]: lines('api'),
    });
    const gone = Object.fromEntries(Object.keys(tree('prod')).map((path) => [path, null]));
    const config = { ...LAYOUT, layout: { ...LAYOUT.layout, environment: ['apps/{environment}/**'] } };
    const made = await planning([tree('prod'), { ...gone, ...tree('production') }], config);
    const [first = ''] = made.ids;
    for (const [scope, old] of [
      ['production', 'apps/prod'],
      ['production/web', 'apps/prod/web'],
    ] as const) {
      const [found] = await absence(made, scope, first);
      expect(found?.message).toBe(`${scope} did not exist at ${first.slice(0, 7)}; it was at ${old} then.`);
    }
  });

  it.runIf(isProof)(
    'is found for a part that stood in another file, and for one whose file was renamed',
    async () => {
      const releases = (...names: string[]) =>
        `releases:\n${names.map((name) => `  - name: ${name}\n    version: 1\n`).join('')}`;
      const made = await planning(
        [
          { 'clusters/shared.yaml': releases('web', 'api'), 'clusters/prod.yaml': releases('db') },
          { 'clusters/prod.yaml': releases('db', 'mail') },
          { 'clusters/shared.yaml': releases('api'), 'clusters/prod.yaml': releases('db', 'mail', 'web') },
          { 'clusters/prod.yaml': releases('db', 'web') },
          { 'clusters/prod.yaml': null, 'clusters/live.yaml': releases('db', 'web') },
        ],
        SHARED,
      );
      const [first = '', second = '', third = '', , last = ''] = made.ids;
      const [renamed] = await absence(made, 'live/web', third);
      expect(renamed?.message).toBe(
        `live/web did not exist at ${third.slice(0, 7)}; it was at clusters/prod.yaml#/releases[name=web] then.`,
      );
      expect(renamed?.hint).toContain(`Commit ${last.slice(0, 7)} moved it here`);
      await made.repo.replay([
        { files: { 'clusters/live.yaml': null, 'clusters/prod.yaml': releases('db', 'web') } },
      ]);
      for (const to of [first, second]) {
        const [moved] = await absence(made, 'prod/web', to);
        expect(moved?.message).toBe(
          `prod/web did not exist at ${to.slice(0, 7)}; it was at clusters/shared.yaml#/releases[name=web] then.`,
        );
      }
    },
  );

  it.runIf(isProof)('says nothing of a move where there was none', async () => {
    const made = await planning(
      [{ other: spec(1) }, { 'apps/production/web/service.yaml': spec(1) }],
      LAYOUT,
    );
    const [found] = await absence(made, 'production/web', made.ids[0] ?? '');
    expect(found?.message).toBe(`production/web did not exist at ${made.ids[0]?.slice(0, 7)}.`);
    expect(found).not.toHaveProperty('hint');
  });
});

describe('files that moved inside the scope', () => {
  it('stand at their old place again, and at the new one no more', async () => {
    const folder = 'apps/production/web';
    const { engine, repo } = await planning(
      [
        { [`${folder}/a.yaml`]: spec(1), [`${folder}/sub/b.yaml`]: spec(2), [`${folder}/c`]: 'c' },
        {
          [`${folder}/a.yaml`]: null,
          [`${folder}/sub/b.yaml`]: null,
          [`${folder}/c`]: null,
          [`${folder}/config/a.yaml`]: spec(1),
          [`${folder}/sub`]: 'a file now',
          [`${folder}/c/d`]: 'a folder now',
        },
      ],
      LAYOUT,
    );
    await rollBack(engine, { scope: 'production/web' });
    expect(await repo.git('ls-tree', '-r', '--name-only', 'main', `${folder}/`)).toBe(
      `${folder}/a.yaml\n${folder}/c\n${folder}/sub/b.yaml`,
    );
  });
});
