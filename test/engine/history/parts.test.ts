/** Revisions of a part of a shared file. */
import { describe, expect, it } from 'vitest';
import { rollBack } from '../../helpers/repositories/engine.ts';
import { planning, SHARED, versions } from '../../helpers/repositories/plan-repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

describe('revisions of a part of a shared file', () => {
  const cluster = (api: string, web: string, rest = '') =>
    `# releases\nreleases:\n  - name: api\n    version: ${api}\n  - name: web\n    version: ${web}\n${rest}`;

  it('are made by changes of the part only', async () => {
    const { engine } = await planning(
      [
        { message: 'One', files: { 'clusters/prod.yaml': cluster('1', '1') } },
        { message: 'Neighbour', files: { 'clusters/prod.yaml': cluster('1', '2') } },
        { message: 'Comment', files: { 'clusters/prod.yaml': `# more\n${cluster('1', '2')}` } },
        { message: 'Two', files: { 'clusters/prod.yaml': cluster('2', '2') } },
        { message: 'Spelling', files: { 'clusters/prod.yaml': cluster('"2"', '2') } },
        {
          message: 'Order',
          files: {
            'clusters/prod.yaml':
              'releases:\n  - name: web\n    version: 2\n  - version: "2"\n    name: api\n',
          },
        },
        { message: 'Elsewhere', files: { 'clusters/prod.yaml': cluster('"2"', '3', 'more: 1\n') } },
        { message: 'Beside', files: { 'config/prod/api.yaml': 'a: 1\n' } },
        { message: 'Other environment', files: { 'clusters/dev.yaml': cluster('9', '9') } },
      ],
      SHARED,
    );
    expect(await versions(engine, 'prod/api')).toEqual(['v4 Beside', 'v3 Spelling', 'v2 Two', 'v1 One']);
    expect(await versions(engine, 'prod/web')).toEqual(['v3 Elsewhere', 'v2 Neighbour', 'v1 One']);
    expect(await versions(engine, 'prod')).toEqual([
      'v6 Beside',
      'v5 Elsewhere',
      'v4 Spelling',
      'v3 Two',
      'v2 Neighbour',
      'v1 One',
    ]);
  });

  it('are made by every change of a text that cannot be read', async () => {
    const { engine } = await planning(
      [
        { message: 'One', files: { 'clusters/prod.yaml': cluster('1', '1') } },
        { message: 'Broken', files: { 'clusters/prod.yaml': `${cluster('1', '1')}\t: [\n` } },
        { message: 'Broken too', files: { 'clusters/prod.yaml': `${cluster('1', '2')}\t: [\n` } },
        { message: 'Mended', files: { 'clusters/prod.yaml': cluster('1', '2') } },
        { message: 'Gone', files: { 'clusters/prod.yaml': null } },
        { message: 'Back', files: { 'clusters/prod.yaml': cluster('1', '2') } },
        { message: 'A link', files: { 'clusters/prod.yaml': { link: 'dev.yaml' } } },
        { message: 'Another link', files: { 'clusters/prod.yaml': { link: 'other.yaml' } } },
        { message: 'Text again', files: { 'clusters/prod.yaml': cluster('1', '2') } },
      ],
      SHARED,
    );
    expect(await versions(engine, 'prod/api')).toEqual([
      'v8 Text again',
      'v7 A link',
      'v6 Back',
      'v5 Gone',
      'v4 Mended',
      'v3 Broken too',
      'v2 Broken',
      'v1 One',
    ]);
  });

  it.runIf(isProof)('belong to the service that the path names, also where two files are alike', async () => {
    const config = {
      version: 1,
      layout: { service: ['apps/{service}/{environment}.yaml#/deploy'] },
      keep: [],
    };
    const file = (tag: string) => `deploy:\n  tag: ${tag}\nowner: me\n`;
    const { engine } = await planning(
      [
        { message: 'One', files: { 'apps/api/prod.yaml': file('1'), 'apps/web/prod.yaml': file('1') } },
        { message: 'Two', files: { 'apps/api/prod.yaml': file('2'), 'apps/web/prod.yaml': file('2') } },
        { message: 'Owner', files: { 'apps/api/prod.yaml': `${file('2')}x: 1\n` } },
      ],
      config,
    );
    expect(await versions(engine, 'prod')).toEqual(['v2 Two', 'v1 One']);
    const { plan } = await engine.plan({ scope: 'prod', to: 'v1' });
    expect(plan.changes.map(({ service, files }) => [service, files.map(({ path }) => path)])).toEqual([
      ['api', ['apps/api/prod.yaml']],
      ['web', ['apps/web/prod.yaml']],
    ]);
    expect(plan.impact.services).toEqual(['api', 'web']);
    await rollBack(engine, { scope: 'prod/web', to: 'v1' });
    expect(await versions(engine, 'prod/api')).toEqual(['v2 Two', 'v1 One']);
  });

  it.runIf(isProof)(
    'are looked for under the name that the path gives, in files that are alike too',
    async () => {
      const config = {
        version: 1,
        layout: { service: ['apps/{service}/{environment}.yaml#/deploy/{service}'] },
        keep: [],
      };
      const file = (tag: string) => `deploy:\n  api: ${tag}\n  web: ${tag}\n`;
      const { engine } = await planning(
        [
          { message: 'One', files: { 'apps/api/prod.yaml': file('1'), 'apps/web/prod.yaml': file('1') } },
          { message: 'Two', files: { 'apps/api/prod.yaml': file('2'), 'apps/web/prod.yaml': file('2') } },
        ],
        config,
      );
      const { plan } = await engine.plan({ scope: 'prod', to: 'v1' });
      const fields = plan.changes.flatMap(({ service, files }) =>
        files.flatMap(({ path, fields: changed = [] }) =>
          changed.map((field) => [service, `${path}#${field.selector}`]),
        ),
      );
      expect(fields).toEqual([
        ['api', 'apps/api/prod.yaml#/deploy/api'],
        ['web', 'apps/web/prod.yaml#/deploy/web'],
      ]);
    },
  );

  it.runIf(isProof)('are noticed where another item takes the name, however its key is written', async () => {
    const config = {
      version: 1,
      layout: { service: ['{environment}.yaml#/list[a.b.c={service}]/v'] },
      keep: [],
    };
    const file = (other: string) =>
      `list:\n  - a:\n      b.c: x\n    v: 1\n  - a:\n      b.c: ${other}\n    v: 1\n`;
    const { engine } = await planning(
      [
        { message: 'One', files: { 'prod.yaml': file('y') } },
        { message: 'Taken', files: { 'prod.yaml': file('x') } },
        { message: 'Free', files: { 'prod.yaml': file('z') } },
      ],
      config,
    );
    expect(await versions(engine, 'prod/x')).toEqual(['v3 Free', 'v2 Taken', 'v1 One']);
  });

  it('leave out what is kept within the part', async () => {
    const config = { ...SHARED, keep: ['clusters/*.yaml#/releases[name=api]/token'] };
    const file = (version: number, token: string) =>
      `releases:\n  - name: api\n    version: ${version}\n    token: ${token}\n`;
    const { engine } = await planning(
      [
        { message: 'One', files: { 'clusters/prod.yaml': file(1, 'a') } },
        { message: 'Two', files: { 'clusters/prod.yaml': file(2, 'b') } },
        { message: 'Rotated', files: { 'clusters/prod.yaml': file(2, 'c') } },
      ],
      config,
    );
    expect(await versions(engine, 'prod/api')).toEqual(['v2 Two', 'v1 One']);
    const { plan } = await engine.plan({ scope: 'prod/api' });
    expect(plan.target.version).toBe(1);
    expect(plan.kept).toEqual([
      { path: 'clusters/prod.yaml', selector: '/releases[name=api]/token', by: config.keep[0] },
    ]);
  });

  it.runIf(isProof)('leave out a shared file that is kept as a whole', async () => {
    const file = (version: number) => `kind: Secret\nreleases:\n  - name: api\n    version: ${version}\n`;
    const { engine } = await planning(
      [
        { message: 'One', files: { 'clusters/prod.yaml': file(1), 'config/prod/api.yaml': 'a: 1\n' } },
        { message: 'Two', files: { 'clusters/prod.yaml': file(2) } },
      ],
      { ...SHARED, keep: ['kind:Secret'] },
    );
    expect(await versions(engine, 'prod/api')).toEqual(['v1 One']);
  });
});
