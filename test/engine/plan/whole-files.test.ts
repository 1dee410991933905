import { describe, expect, it } from 'vitest';
import { type Ask, type Engine, isBlocked, type Plan } from '../../../engine/internal.ts';
import { rollBack } from '../../helpers/repositories/engine.ts';
import { planning, SHARED, versions } from '../../helpers/repositories/plan-repo.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const PATH = 'clusters/prod.yaml';
const release = (name: string, version: number) => `  - name: ${name}\n    version: ${version}\n`;
const cluster = (api: number, web: number, more = '') => ({
  [PATH]: `# prod${more}\nreleases:\n${release('api', api)}${release('web', web)}`,
});
const FIELD = `${PATH}#/releases[name=api]/version`;
const ASK: Ask = { scope: 'prod/api', fields: [FIELD], to: 'v1', wholeFile: true };

const planOf = async (engine: Engine, ask: Ask): Promise<Plan> => (await engine.plan(ask)).plan;
const findings = ({ findings: found }: Plan, code = 'WHOLE_FILE') =>
  found.filter((finding) => finding.code === code).map(({ severity, message }) => `${severity}: ${message}`);

describe('a field restored by its whole file', () => {
  it('brings back the file as it was, to the byte, and records the path without a selector', async () => {
    const { engine, repo, ids } = await planning([cluster(1, 1), cluster(2, 1, ' now')], SHARED);
    await rollBack(engine, ASK);
    expect(await repo.git('show', `main:${PATH}`)).toBe(await repo.git('show', `${ids[0]}:${PATH}`));
    const body = await repo.git('log', '-1', '--format=%B', 'main');
    expect(body).toContain(`\nMode: field\n`);
    expect(body.match(/^Rollback-Field: .*$/gm)).toEqual([`Rollback-Field: ${PATH}`]);
  });

  it('is read back from the log without a complaint', async () => {
    const { engine } = await planning([cluster(1, 1), cluster(2, 1)], SHARED);
    await rollBack(engine, ASK);
    expect(await engine.log({ limit: 5 })).toMatchObject([
      { mode: 'field', record: { fields: [PATH] }, problems: [] },
    ]);
  });

  it('warns of every other service and field that changes with it', async () => {
    const other = 'owner: a\n';
    const now = { [PATH]: `${cluster(2, 2)[PATH]}owner: b\n` };
    const { engine } = await planning([{ [PATH]: `${cluster(1, 1)[PATH]}${other}` }, now], SHARED);
    const plan = await planOf(engine, ASK);
    expect(findings(plan)).toEqual([
      `warn: ${PATH} is restored as a whole file, which also changes service web, the field ${PATH}#/owner.`,
    ]);
    expect(plan.impact.services).toEqual(['api', 'web']);
    expect(plan.wholeFiles).toEqual([PATH]);
  });

  it('names other fields of the same service too', async () => {
    const file = (v: number) => ({ [PATH]: `releases:\n  - {name: api, version: ${v}, port: ${v}}\n` });
    const { engine } = await planning([file(1), file(2)], SHARED);
    expect(findings(await planOf(engine, ASK))).toEqual([
      expect.stringMatching(/^warn: .*the field clusters\/prod\.yaml#\/releases\[name=api\]\/port\.$/),
    ]);
  });

  it('says so where nothing else changes', async () => {
    const { engine } = await planning([cluster(1, 1), cluster(2, 1)], SHARED);
    expect(findings(await planOf(engine, ASK))).toEqual([expect.stringMatching(/^info: .*no other field/)]);
  });

  it('keeps to the revisions of the field: v1 is the same commit with and without it', async () => {
    const { engine } = await planning([cluster(1, 1), cluster(1, 2), cluster(2, 2)], SHARED);
    const [part, whole] = [
      await planOf(engine, { ...ASK, wholeFile: false, to: 'previous' }),
      await planOf(engine, { ...ASK, to: 'previous' }),
    ];
    expect(whole.target).toEqual(part.target);
    expect(whole.digest).not.toBe(part.digest);
  });

  it('leaves a file alone in which the field does not differ', async () => {
    const { engine } = await planning([cluster(1, 1), cluster(1, 2), cluster(2, 2), cluster(1, 3)], SHARED);
    expect((await planOf(engine, ASK)).files).toEqual([]);
  });

  it('is named by git’s spelling where its name is not UTF-8, and recorded so that it is found again', async () => {
    const path = 'config/prod/caf\udce9.yaml';
    const config = { ...SHARED, layout: { environment: ['config/{environment}/**'] } };
    const { engine } = await planning([{ [path]: 'v: 1\n' }, { [path]: 'v: 2\n' }], config);
    const fields = ['"config/prod/caf\\351.yaml"#/v'];
    await rollBack(engine, { scope: 'prod', fields, to: 'v1' });
    expect((await planOf(engine, { scope: 'prod', fields, to: 'v1' })).files).toEqual([]);
    const { revisions } = await engine.history({ scope: 'prod', fields, limit: 9 });
    expect(revisions.map(({ version, source }) => `v${version} ${source}`)).toContain('v3 rollback');
    expect(await engine.log({ limit: 1 })).toMatchObject([
      { record: { fields: ['caf\udce9.yaml#/v'] }, problems: [] },
    ]);
  });

  it('restores a template, which no field edit can', async () => {
    const file = (v: number) => ({ 'config/prod/api.yaml': `{{ if x }}\nversion: ${v}\n{{ end }}\n` });
    const { engine, repo } = await planning([file(1), file(2)], SHARED);
    const ask = { ...ASK, fields: ['config/prod/api.yaml#/version'] };
    const refused = await planOf(engine, { ...ask, wholeFile: false });
    expect(refused.findings).toMatchObject([
      {},
      {
        code: 'EDIT_REFUSED',
        message: expect.stringContaining('line 2'),
        hint: expect.stringContaining('--whole-file'),
      },
    ]);
    await rollBack(engine, ask);
    expect(await repo.git('show', 'main:config/prod/api.yaml')).toContain('version: 1');
  });
});

describe('a service restored by whole files', () => {
  const ask: Ask = { scope: 'prod/api', to: 'v1', wholeFile: true };

  it.runIf(isProof)(
    'restores the shared file and the files of its own, and names the shared one in the record',
    async () => {
      const own = (v: number) => ({ 'config/prod/api.yaml': `v: ${v}\n` });
      const { engine, repo, ids } = await planning(
        [
          { ...cluster(1, 1), ...own(1) },
          { ...cluster(2, 2, ' x'), ...own(2) },
        ],
        SHARED,
      );
      await rollBack(engine, ask);
      expect(await repo.git('rev-parse', 'main:clusters', 'main:config')).toBe(
        await repo.git('rev-parse', `${ids[0]}:clusters`, `${ids[0]}:config`),
      );
      expect(await engine.log({ limit: 1 })).toMatchObject([
        { mode: 'service', record: { service: 'api', fields: [PATH] }, problems: [] },
      ]);
    },
  );

  it.runIf(isProof)('leaves the other services’ revisions behind that it went back behind', async () => {
    const { engine } = await planning([cluster(1, 1), cluster(2, 1), cluster(2, 2)], SHARED);
    await rollBack(engine, ask);
    const { revisions } = await engine.history({ scope: 'prod/web', fields: [], limit: 9 });
    expect(revisions.map(({ version, status }) => `v${version} ${status}`)).toEqual([
      'v3 unknown',
      'v2 rolledBack',
      'v1 unknown',
    ]);
    expect(await versions(engine, 'prod/api')).toHaveLength(3);
  });

  it('keeps what is kept of the file', async () => {
    const config = { ...SHARED, keep: ['clusters/*.yaml#/releases[name=web]'] };
    const { engine, repo } = await planning([cluster(1, 1), cluster(2, 2)], config);
    await rollBack(engine, ask);
    expect(await repo.git('show', `main:${PATH}`)).toBe(cluster(1, 2)[PATH]?.trimEnd());
  });

  it('refuses a file that is kept as a whole', async () => {
    const config = { ...SHARED, keep: ['clusters/**'] };
    const { engine } = await planning([cluster(1, 1), cluster(2, 2)], config);
    await expect(engine.plan(ASK)).rejects.toMatchObject({ code: 'KEPT' });
    await expect(engine.plan(ask)).rejects.toMatchObject({ code: 'REVISION_UNKNOWN' });
  });

  it.each(
    someOf(
      [
        [
          'its value',
          'prod:\n  api: 2\nstaging:\n  api: 2\n',
          /it would also change staging\/api, outside prod/,
        ],
        ['all of it', 'prod:\n  api: 2\nstaging: []\n', /it would also change staging\/api, outside prod/],
        ['the map above', '- prod\n', /it would also change staging\/api, outside prod/],
        ['a template', '{{ prod }}\n', /it would also change parts of other environments, outside prod/],
      ],
      2,
    ),
  )('refuses to change another environment’s part with it: %s', async (_, then, message) => {
    const layout = { service: ['all.yaml#/{environment}/{service}', 'config/{environment}/{service}.yaml'] };
    const config = { version: 1, layout, keep: [] };
    const now = { 'all.yaml': 'prod:\n  api: 1\nstaging:\n  api: 1\n', 'config/prod/api.yaml': 'a: 1\n' };
    const { engine } = await planning([{ ...now, 'all.yaml': then }, now], config);
    const plan = await planOf(engine, { ...ask, allowRemoval: true });
    expect(findings(plan, 'EDIT_REFUSED')).toEqual([expect.stringMatching(message)]);
    expect(isBlocked(plan)).toBe(true);
    const alone = await planning([{ ...now, 'all.yaml': now['all.yaml'].replace('1', '2') }, now], config);
    expect(findings(await planOf(alone.engine, ask))).toEqual([expect.stringMatching(/^info: all\.yaml/)]);
  });

  it('does not remove a file that the target lacks, unless removal is allowed, and then says so', async () => {
    const own = { 'config/prod/api.yaml': 'v: 1\n' };
    const { engine } = await planning([own, { ...own, ...cluster(2, 2) }], SHARED);
    const plan = await planOf(engine, ask);
    const absent = [
      /^block: clusters.* did not exist/,
      /^block: The part of service web in clusters.* did not exist/,
    ];
    expect(findings(plan, 'TARGET_ABSENT')).toEqual(absent.map((text) => expect.stringMatching(text)));
    const allowed = await planOf(engine, { ...ask, allowRemoval: true });
    expect(findings(allowed)).toEqual([
      expect.stringMatching(
        /^warn: clusters\/prod\.yaml is removed as a whole file; this removes service web\.$/,
      ),
    ]);
  });

  it.each([ask, ASK])('does not remove another service’s part silently ($fields)', async (asked) => {
    const { engine } = await planning([{ [PATH]: `releases:\n${release('api', 1)}` }, cluster(2, 2)], SHARED);
    const plan = await planOf(engine, asked);
    expect(isBlocked(plan)).toBe(true);
    expect(findings(plan, 'TARGET_ABSENT')).toEqual([
      expect.stringMatching(
        /^block: The part of service web in clusters\/prod\.yaml did not exist at \w+\.$/,
      ),
    ]);
    const allowed = await planOf(engine, { ...asked, allowRemoval: true });
    expect(isBlocked(allowed)).toBe(false);
    expect(findings(allowed)).toEqual([expect.stringMatching(/^warn: .*; this removes service web\.$/)]);
    expect(findings(allowed, 'REMOVAL_ALLOWED')).toHaveLength(1);
  });
});

describe('a whole file in which others have parts', () => {
  const plan = async (pattern: string, then: string, now: string) => {
    const { engine } = await planning([{ 'all.yaml': then }, { 'all.yaml': now }], {
      version: 1,
      layout: { service: [`all.yaml#${pattern}`] },
      keep: [],
    });
    return planOf(engine, { scope: 'prod/api', to: 'v1', wholeFile: true });
  };
  const refusal = (whom: string) => [
    `block: all.yaml cannot be restored as a whole file: it would also change ${whom}, outside prod.`,
  ];

  it('refuses where an alias carries the change into another environment', async () => {
    const file = (tag: number) =>
      `prod:\n  api: &x { tag: ${tag} }\nstaging:\n  api: *x\n  web:\n    <<: *x\n    y: 1\n`;
    const found = await plan('/{environment}/{service}', file(1), file(2));
    expect(findings(found, 'EDIT_REFUSED')).toEqual(refusal('staging/api, staging/web'));
  });

  it('warns where an alias carries the change into another service', async () => {
    const file = (tag: number) => `prod:\n  api: &x { tag: ${tag} }\n  web: *x\n  db: { tag: 3 }\n`;
    const found = await plan('/{environment}/{service}', file(1), file(2));
    expect(findings(found)).toEqual([
      'warn: all.yaml is restored as a whole file, which also changes service web.',
    ]);
  });

  it.runIf(isProof)('refuses a change of another environment beside its services', async () => {
    const file = (v: number) =>
      `prod:\n  services: { api: ${v} }\nstaging:\n  domain: v${v}\n  services: { api: 1 }\n`;
    const found = await plan('/{environment}/services/{service}', file(1), file(2));
    expect(findings(found, 'EDIT_REFUSED')).toEqual(refusal('staging'));
    const own = (v: number) => `prod:\n  domain: v${v}\n  services: { api: ${v} }\n`;
    expect(findings(await plan('/{environment}/services/{service}', own(1), own(2)))).toEqual([
      'warn: all.yaml is restored as a whole file, which also changes the field all.yaml#/prod/domain.',
    ]);
  });

  it.runIf(isProof)('refuses to give another environment a new name', async () => {
    const file = (v: number, other: string) =>
      `envs:\n- env: prod\n  svc: { api: ${v} }\n- env: ${other}\n  svc: { api: 1 }\n`;
    const pattern = '/envs[env={environment}]/svc/{service}';
    const found = await plan(pattern, file(1, 'staging'), file(2, 'qa'));
    expect(findings(found, 'EDIT_REFUSED')).toEqual(refusal('qa/api, staging/api'));
    const empty = (text: string) => text.replace(/api: 1/, '');
    const bare = await plan(pattern, empty(file(3, 'staging')), empty(file(2, 'qa')));
    expect(findings(bare, 'EDIT_REFUSED')).toEqual(refusal('qa, staging'));
  });

  it('says why a file with a # in its name keeps its parts', async () => {
    const path = 'clusters/prod#1.yaml';
    const config = {
      ...SHARED,
      layout: { service: ['clusters/{environment}*.yaml#/releases[name={service}]'] },
    };
    const file = (text: string) => ({ [path]: text });
    const text = (v: number) => `releases:\n${release('api', v)}`;
    const edited = await planOf((await planning([file(text(1)), file(text(2))], config)).engine, ask('prod'));
    expect(findings(edited)).toEqual([
      expect.stringMatching(
        /^warn: clusters\/prod#1\.yaml is restored by its parts and not as a whole file, because/,
      ),
    ]);
    const { engine } = await planning([file(`{{ x }}\n${text(1)}`), file(text(2))], config);
    const refused = (await planOf(engine, ask('prod'))).findings.find(({ code }) => code === 'EDIT_REFUSED');
    expect(refused?.hint).toBe(
      'Change it by hand: --whole-file does not support files with a "#" in their name.',
    );
  });

  it('is advised where a side is no text, and the refusal says which', async () => {
    const { engine } = await planning(
      [{ [PATH]: Buffer.from('a: \xe9\n', 'latin1') }, cluster(2, 2)],
      SHARED,
    );
    const { findings: found } = await planOf(engine, { ...ask('prod'), wholeFile: false });
    expect(found).toContainEqual({
      code: 'EDIT_REFUSED',
      severity: 'block',
      path: PATH,
      message: `${PATH} cannot be edited: it was not UTF-8 text, or too large, at the target.`,
      hint: 'Restore the whole file with --whole-file.',
      remedy: 'whole-file',
    });
  });

  it('quotes a name that a line must not hold as it is', async () => {
    const path = 'clusters/prod\u202e.yaml';
    const config = {
      ...SHARED,
      layout: { service: ['clusters/{environment}*.yaml#/releases[name={service}]'] },
    };
    const file = (v: number) => ({ [path]: `releases:\n${release('api', v)}` });
    const { engine } = await planning([file(1), file(2)], config);
    expect(findings(await planOf(engine, ask('prod')))).toEqual([
      'info: "clusters/prod\\342\\200\\256.yaml" is restored as a whole file; no other field of it changes.',
    ]);
    const kept = await planning([file(1), file(2)], {
      ...config,
      keep: ['clusters/**#/releases[name=api]/version'],
    });
    await expect(
      kept.engine.plan({ ...ask('prod'), fields: [`${path}#/releases[name=api]/version`] }),
    ).rejects.toThrow('\\342\\200\\256');
  });
});

const ask = (environment: string): Ask => ({ scope: `${environment}/api`, to: 'v1', wholeFile: true });
