import { describe, expect, it } from 'vitest';
import type { Ask, Engine, Plan } from '../../../engine/internal.ts';
import { rollBack } from '../../helpers/repositories/engine.ts';
import { planning } from '../../helpers/repositories/plan-repo.ts';
import { someOf } from '../../helpers/run/proof.ts';

const CONFIG = { version: 1, layout: { service: ['apps/{environment}/{service}/**'] } };
const FOLDER = 'apps/prod/api';
const at = (v: number): Readonly<Record<string, string>> => ({
  [`${FOLDER}/params.env`]: `# image\nexport IMAGE_TAG="v${v}" # pin\r\nDB_PASSWORD=hunter${v}\nX=${v}`,
  [`${FOLDER}/app.properties`]: `! image\nimage.tag : v${v}\nx=${v}`,
  [`${FOLDER}/tsconfig.json`]: `{\n  // image\n  "image": { "tag": "v${v}", /* pin */ },\n  "x": ${v},\n}\n`,
  [`${FOLDER}/app.jsonc`]: `{\n  // image\n  "image": { "tag": "v${v}" }, "x": ${v}, // c\n}\n`,
  [`${FOLDER}/c.toml`]: `[image]\ntag = "v${v}"\nx = ${v}\n`,
  [`${FOLDER}/m.jsonnet`]: `{ image: { tag: "v${v}" } }\n`,
});
const ask = (field: string, more: Partial<Ask> = {}): Ask => ({
  scope: 'prod/api',
  fields: [field],
  to: 'v1',
  ...more,
});
const planOf = async (engine: Engine, wish: Ask): Promise<Plan> => (await engine.plan(wish)).plan;

describe('a field of a file that is not YAML', () => {
  it.each(
    someOf(
      [
        ['params.env#/IMAGE_TAG', 'export IMAGE_TAG="v2"', 'export IMAGE_TAG="v1"'],
        ['app.properties#image.tag', 'image.tag : v2', 'image.tag : v1'],
        ['tsconfig.json#/image/tag', '"tag": "v2"', '"tag": "v1"'],
        ['app.jsonc#image.tag', '"tag": "v2"', '"tag": "v1"'],
      ],
      2,
    ),
  )('comes back in its line, and nothing else does: %s', async (field, now, then) => {
    const { engine, repo } = await planning([at(1), at(2)], CONFIG);
    const path = `${FOLDER}/${field.slice(0, field.indexOf('#'))}`;
    const plan = await planOf(engine, ask(field));
    expect(plan.changes[0]?.files).toMatchObject([
      { path, fields: [{ op: 'replace', before: expect.stringContaining('v2') }] },
    ]);
    await rollBack(engine, ask(field));
    expect(await repo.git('show', `main:${path}`)).toBe(at(2)[path]?.replace(now, then).trimEnd());
    expect(await engine.log({ limit: 1 })).toMatchObject([{ problems: [] }]);
  });

  it('is masked where its key names a secret', async () => {
    const { engine } = await planning([at(1), at(2)], CONFIG);
    const { plan } = await engine.plan(ask('params.env#/DB_PASSWORD'));
    expect(plan.changes[0]?.files[0]?.fields).toMatchObject([{ selector: '/DB_PASSWORD', after: '***' }]);
    expect(JSON.stringify(await engine.compare({ scope: 'prod/api', from: 'v1', to: 'v2' }))).not.toContain(
      'hunter',
    );
  });

  it.each(['c.toml#/image/tag', 'm.jsonnet#/image/tag'])(
    'is refused with the name of the format, and comes back with the whole file: %s',
    async (field) => {
      const { engine, repo } = await planning([at(1), at(2)], CONFIG);
      const { findings } = await planOf(engine, ask(field, { to: 'previous' }));
      expect(findings).toContainEqual(
        expect.objectContaining({
          code: 'EDIT_REFUSED',
          severity: 'block',
          message: expect.stringMatching(/The file is a (?:TOML|Jsonnet) file/),
          hint: 'Restore the whole file with --whole-file.',
        }),
      );
      await rollBack(engine, ask(field, { wholeFile: true }));
      const path = `${FOLDER}/${field.slice(0, field.indexOf('#'))}`;
      expect(await repo.git('show', `main:${path}`)).toBe(at(1)[path]?.trimEnd());
    },
  );
});

describe('a kept key of a .env file', () => {
  it('stays as it is while the file comes back', async () => {
    const keep = ['**/params.env#/X'];
    const { engine, repo } = await planning([at(1), at(2)], { ...CONFIG, keep });
    await rollBack(engine, { scope: 'prod/api', to: 'v1' });
    const path = `${FOLDER}/params.env`;
    expect(await repo.git('show', `main:${path}`)).toBe(at(1)[path]?.replace('X=1', 'X=2'));
  });
});

describe('a field of a document that a string holds', () => {
  const PATH = `${FOLDER}/app.yaml`;
  const app = (tag: number, replicas: number, password = 1) => ({
    [PATH]: `kind: Application\nvalues: |\n  image:\n    tag: "v${tag}"   # bumped\n  replicas: ${replicas}\n  db:\n    password: p${password}\nx: ${replicas}\n`,
  });

  it('comes back in its line, is recorded, and is a scope with revisions of its own', async () => {
    const { engine, repo, ids } = await planning([app(1, 1), app(2, 1), app(2, 5)], CONFIG);
    const wish = ask('app.yaml#/values|/image/tag', { to: 'previous' });
    expect((await planOf(engine, wish)).target.commit).toBe(ids[0]);
    await rollBack(engine, wish);
    expect(await repo.git('show', `main:${PATH}`)).toBe(app(1, 5)[PATH]?.trimEnd());
    expect(await engine.log({ limit: 1 })).toMatchObject([
      { record: { fields: [`${PATH}#/values|/image/tag`] }, problems: [] },
    ]);
  });

  it.each(['app.yaml#/values/image/tag', 'app.yaml#values.image.tag'])(
    'is pointed to where the way leads into the string without saying so: %s',
    async (field) => {
      const { engine } = await planning([app(1, 1), app(2, 2)], CONFIG);
      await expect(engine.plan(ask(field))).rejects.toMatchObject({
        code: 'FIELD_INVALID',
        message: expect.stringContaining('/values is a string'),
        hint: expect.stringContaining('app.yaml#/values|/image/tag'),
      });
    },
  );

  it('that cannot be found is said to lie in a string', async () => {
    const { engine } = await planning(
      [{ [PATH]: 'x: |\n  a: {{ .V }}\n' }, { [PATH]: 'x: >\n  b\n' }],
      CONFIG,
    );
    await expect(engine.plan(ask('app.yaml#/x/a'))).rejects.toMatchObject({
      code: 'FIELD_UNKNOWN',
      message: expect.stringMatching(/never existed: .*app\.yaml#\/x is a string\.$/),
      hint: expect.stringContaining('app.yaml#/x|/a'),
    });
  });

  it('is asked for where nothing follows the "|"', async () => {
    const { engine } = await planning([app(1, 1), app(2, 2)], CONFIG);
    await expect(engine.plan(ask('app.yaml#/values|'))).rejects.toMatchObject({
      code: 'FIELD_INVALID',
      message: expect.stringMatching(/No field follows the "\|" after .*app\.yaml#\/values\.$/),
    });
  });

  it('stays as it is while the file comes back, where it is kept', async () => {
    const keep = ['**/app.yaml#/values|/db/password'];
    const { engine, repo } = await planning([app(1, 1), app(2, 2, 2)], { ...CONFIG, keep });
    await rollBack(engine, { scope: 'prod/api', to: 'v1' });
    expect(await repo.git('show', `main:${PATH}`)).toBe(app(1, 1, 2)[PATH]?.trimEnd());
  });

  it('may belong to a service by the layout', async () => {
    const layout = { service: ['all/{environment}.yaml#/data/apps|/{service}'] };
    const all = (api: number, web: number) => ({
      'all/prod.yaml': `data:\n  apps: |\n    api: {v: ${api}}\n    web: {v: ${web}}\n`,
    });
    const { engine, repo } = await planning([all(1, 1), all(2, 2)], { version: 1, layout });
    await rollBack(engine, { scope: 'prod/api', to: 'v1' });
    expect(await repo.git('show', 'main:all/prod.yaml')).toBe(all(1, 2)['all/prod.yaml'].trimEnd());
  });
});

it('names the whole string as the way out where its format has no fields', async () => {
  const file = (tag: string) => ({
    'apps/prod/api/cm.yaml': `data:\n  config.toml: |\n    tag = "${tag}"\n`,
  });
  const { engine } = await planning([file('v1'), file('v2')], {
    version: 1,
    layout: { service: ['apps/{environment}/{service}/**'] },
  });
  const fields = ['cm.yaml#/data/config.toml|/tag'];
  const { plan } = await engine.plan({ scope: 'prod/api', fields });
  expect(plan.findings).toContainEqual(
    expect.objectContaining({
      code: 'EDIT_REFUSED',
      message: expect.stringContaining('a TOML file'),
      hint: expect.stringContaining('leaving out the "|"'),
    }),
  );
});
