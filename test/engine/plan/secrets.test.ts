import { describe, expect, it } from 'vitest';
import { planning, SHARED } from '../../helpers/repositories/plan-repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

const API = 'tenants/acme/prod/services/api';
/** Each planted value is another one, so that a leak says where it comes from. */
const planted = (name: string, version: number) => `planted${name}${version}zz9`;

const FILES: Record<string, (value: (name: string) => string) => string> = {
  'service.yaml': (v) =>
    `image: {tag: ${v('Visible')}}\npassword: ${v('Plain')}\nenv:\n  - name: DB_PASSWORD\n    value: ${v('Pair')}\n`,
  'config.yaml': (v) =>
    `kind: ConfigMap\ndata:\n  app.ini: |\n    api_key=${v('Ini')}\n    level=${v('VisibleLevel')}\n`,
  'manifest.yaml': (v) =>
    `kind: Secret\nstringData:\n  tag: ${v('Tag')}\n  image: ${v('Image')}\n  revision: ${v('Revision')}\n---\nkind: ConfigMap\nmetadata: {name: c}\nrevision: ${v('VisibleRevision')}\n`,
  'secret.yaml': (v) => `kind: Secret\ndata:\n  imageTag: ${v('Data')}\n`,
  'values.json': (v) =>
    JSON.stringify({ clientSecret: v('Json'), list: [{ token: v('List'), tag: v('VisibleTag') }] }),
  'app.properties': (v) => `db.password=${v('Properties')}\nname=${v('VisibleName')}\n`,
  'broken.yaml': (v) => `password: ${v('Broken')}\n\t[: {{ x }}\n`,
  'deploy.sh': (v) => `export API_TOKEN=${v('Shell')}\n`,
  'anchors.yaml': (v) => `x: &secret ${v('Anchor')}\npassword: *secret\nimage: {tag: *secret}\n`,
  'comment.yaml': (v) => `# password: ${v('Comment')}\na: ${v('VisibleA')}\n`,
  'secrets/db.yaml': (v) => `password: ${v('Kept')}\n`,
  extensionless: (v) => `token: ${v('Extensionless')}\n`,
};

const tree = (version: number) =>
  Object.fromEntries(
    Object.entries(FILES).map(([path, make]) => [`${API}/${path}`, make((name) => planted(name, version))]),
  );

function leaks(value: unknown): string[] {
  const text = JSON.stringify(value, (_, item: unknown) =>
    item instanceof Uint8Array ? Buffer.from(item).toString('latin1') : item,
  );
  return [...new Set(text.match(/planted[A-Za-z]+\d+zz9/g) ?? [])].filter(
    (name) => !name.startsWith('plantedVisible'),
  );
}

/** A plan for people: without the bytes that are to be written. */
function shown({ plan, delivery }: { plan: object; delivery: object }) {
  const json: unknown = JSON.parse(
    JSON.stringify({ plan, delivery }, (_, item: unknown) => (item instanceof Uint8Array ? '' : item)),
  );
  return json;
}

describe('a secret', () => {
  it('is shown nowhere: not in history, plan, compare or show, in no mode', async () => {
    const { engine } = await planning([tree(1), tree(2)]);
    const environment = 'acme/prod';
    const service = 'acme/prod/api';
    const fields = ['service.yaml#/password'];
    const results = {
      history: await engine.history({ scope: service, limit: 9 }),
      environmentHistory: await engine.history({ scope: environment, limit: 9 }),
      fieldHistory: await engine.history({ scope: service, fields, limit: 9 }),
      plan: shown(await engine.plan({ scope: service })),
      fullPlan: shown(await engine.plan({ scope: environment })),
      fieldPlan: shown(await engine.plan({ scope: service, fields })),
      compare: await engine.compare({ scope: service, from: 'v1' }),
      fieldCompare: await engine.compare({ scope: service, fields, from: 'v1' }),
      show: await engine.show({ scope: service, revision: 'v1' }),
      fullShow: await engine.show({ scope: environment, revision: 'v2' }),
      fieldShow: await engine.show({ scope: service, fields, revision: 'v1' }),
    };
    for (const [name, result] of Object.entries(results)) expect([name, leaks(result)]).toEqual([name, []]);
    expect(JSON.stringify(results.show)).toContain(planted('VisibleLevel', 1));
    expect(JSON.stringify(results.plan)).toContain(planted('VisibleTag', 1));
    expect(results.plan).toMatchObject({ plan: { findings: expect.any(Array) } });
    expect(JSON.stringify(results.history)).toContain(planted('VisibleRevision', 2));
  });

  it('that comes or goes with a file is not shown either', async () => {
    const gone = Object.fromEntries(Object.keys(tree(1)).map((path) => [path, null]));
    const { engine } = await planning([{ [`${API}/a`]: '1' }, tree(1), gone, { [`${API}/a`]: '2' }]);
    for (const to of ['v1', 'v2', 'v3'])
      expect(leaks(shown(await engine.plan({ scope: 'acme/prod/api', to })))).toEqual([]);
    expect(leaks(await engine.compare({ scope: 'acme/prod/api', from: 'v1', to: 'v2' }))).toEqual([]);
  });

  it('is in no message where an edit is refused', async () => {
    const file = (version: number) => ({
      'clusters/prod.yaml': `releases:\n  - name: api\n    password: &p ${planted('Refused', version)}\n    v: ${version}\nother: *p\n`,
    });
    const { engine } = await planning([file(1), file(2)], SHARED);
    const planned = await engine.plan({ scope: 'prod/api' });
    expect(planned.plan.findings.map(({ code }) => code)).toContain('EDIT_REFUSED');
    expect(leaks(shown(planned))).toEqual([]);
    const error: unknown = await engine
      .plan({ scope: 'prod/api', fields: [`#/releases[x=${'y'.repeat(10)}`] })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SELECTOR_INVALID' });
  });

  it.runIf(isProof)('does not hide the part of a shared file that it stands in or beside', async () => {
    const file = (version: number) =>
      [
        `password: ${planted('Top', version)}`,
        'releases:',
        '  - name: api',
        `    version: ${version} # first`,
        `    token: ${planted('Inside', version)}`,
        '  - name: web',
        `    tokens: [${planted('Flow', version)}, b]`,
        '    version: 7',
        'certificate: |',
        '  -----BEGIN PRIVATE KEY-----',
        `  ${planted('Block', version)}`,
        '  -----END PRIVATE KEY-----',
        '',
      ].join('\n');
    const { engine } = await planning(
      [{ 'clusters/prod.yaml': file(1) }, { 'clusters/prod.yaml': file(2) }],
      SHARED,
    );
    const api = await engine.show({ scope: 'prod/api', revision: 'v1' });
    expect(api.files).toMatchObject([
      {
        path: 'clusters/prod.yaml',
        selector: '/releases[name=api]',
        text: '  - name: api\n    version: 1 # first\n    token: ***\n',
      },
    ]);
    const web = await engine.show({ scope: 'prod/web', revision: 'v1' });
    expect(web.files[0]?.text).toContain('version: 7');
    expect(leaks([api, web])).toEqual([]);
    const field = await engine.show({ scope: 'prod/api', fields: ['#/version'], revision: 'v1' });
    expect(field.files[0]?.text).toBe('    version: 1\n');
    const compared = await engine.compare({ scope: 'prod/api', from: 'v1' });
    expect(compared.changes[0]?.files[0]?.fields?.map(({ selector }) => selector)).toEqual([
      '/releases[name=api]/version',
      '/releases[name=api]/token',
    ]);
    expect(leaks(compared)).toEqual([]);
  });
});

describe('show and compare', () => {
  it('show a part whatever names its item, and only its own fields', async () => {
    const config = {
      version: 1,
      layout: { service: ['c/{environment}.yaml#/apps[app={service}]'] },
      keep: [],
    };
    const file = (api: number, web: number) => ({
      'c/prod.yaml': `apps:\n  - app: api\n    image: a:${api}\n  - app: web\n    image: w:${web}\n`,
    });
    const { engine } = await planning([file(1, 1), file(2, 2), file(3, 2)], config);
    const fieldsOf = (
      changes: readonly { service: string | null; files: readonly { fields?: readonly object[] }[] }[],
    ) => changes.map(({ service, files }) => [service, files.flatMap(({ fields = [] }) => fields)]);
    const change = { op: 'replace', before: 'a:1', after: 'a:3' };
    const compared = await engine.compare({ scope: 'prod/api', from: 'v1' });
    expect(fieldsOf(compared.changes)).toMatchObject([['api', [change]]]);
    const { plan } = await engine.plan({ scope: 'prod', to: 'v1' });
    expect(fieldsOf(plan.changes)).toMatchObject([
      ['api', [{ op: 'replace', before: 'a:3', after: 'a:1' }]],
      ['web', [{ op: 'replace', before: 'w:2', after: 'w:1' }]],
    ]);
    expect(plan.impact.services).toEqual(['api', 'web']);
    const { revisions } = await engine.history({ scope: 'prod', limit: 1 });
    expect(revisions[0]?.changes.map(({ service }) => service)).toEqual(['api']);
  });

  it('leave out what is kept and say of files that they are kept', async () => {
    const { engine } = await planning([
      { [`${API}/a.yaml`]: 'a: 1\n', [`${API}/secrets/x`]: '1', [`${API}/s.yaml`]: 'kind: Secret\na: 1\n' },
      { [`${API}/a.yaml`]: 'a: 2\n', [`${API}/secrets/x`]: '2', [`${API}/s.yaml`]: 'kind: Secret\na: 2\n' },
    ]);
    const compared = await engine.compare({ scope: 'acme/prod/api', from: 'v1' });
    expect(compared.changes.flatMap(({ files }) => files.map(({ path }) => path))).toEqual([`${API}/a.yaml`]);
    const { files } = await engine.show({ scope: 'acme/prod/api', revision: 'v1' });
    expect(files.map(({ kept }) => kept)).toEqual([undefined, 'kind:Secret', '**/secrets/**']);
  });
});
