import { describe, expect, it } from 'vitest';
import { rollBack } from '../../helpers/repositories/engine.ts';
import { planning, SHARED } from '../../helpers/repositories/plan-repo.ts';
import type { Files } from '../../helpers/repositories/repo.ts';
import { ENV, API, spec, planOf, blocks, changed } from './plan-of.ts';

describe('what is kept', () => {
  it('stays while the rest of its folder is restored, and the plan says so', async () => {
    const { engine, repo } = await planning([
      { [`${API}/a.yaml`]: 'a: 1\n', [`${API}/secrets/db`]: 'old', [`${API}/gone.yaml`]: 'a: 1\n' },
      {
        [`${API}/a.yaml`]: 'a: 2\n',
        [`${API}/secrets/db`]: 'new',
        [`${API}/gone.yaml`]: null,
        [`${API}/secrets/more`]: 'x',
      },
    ]);
    const plan = await planOf(engine);
    expect(changed(plan)).toEqual([`${API}/a.yaml`, `${API}/gone.yaml`]);
    expect(plan.kept.map(({ path }) => path)).toEqual([`${API}/secrets/db`, `${API}/secrets/more`]);
    await rollBack(engine, { scope: 'acme/prod/api', to: 'v1' });
    expect(await repo.git('ls-tree', '-r', '--name-only', 'main', `${API}/`)).toBe(
      [`${API}/a.yaml`, `${API}/gone.yaml`, `${API}/secrets/db`, `${API}/secrets/more`].join('\n'),
    );
    expect(await repo.git('show', `main:${API}/secrets/db`)).toBe('new');
  });

  it.each<[string, Files, Files, string]>([
    [
      'a file in the place of its folder',
      { [`${API}/x`]: '1', [`${API}/a`]: '1' },
      { [`${API}/x`]: null, [`${API}/x/secrets/s`]: '2' },
      'KEPT',
    ],
    [
      'a folder in the place of its file',
      { [`${API}/x/y`]: '1', [`${API}/a`]: '1' },
      { [`${API}/x/y`]: null, [`${API}/x`]: 'kind: Secret\ndata: {a: b}\n' },
      'KEPT',
    ],
  ])('blocks where %s would have to go', async (_, then, now, code) => {
    const { engine } = await planning([then, now]);
    const plan = await planOf(engine);
    expect(blocks(plan)).toEqual([expect.stringMatching(new RegExp(`^${code}: .* is in the way\\.$`, 'u'))]);
  });

  it('needs the part on both sides, and says what can be done', async () => {
    const { engine } = await planning([
      { [`${ENV}/environment.yaml`]: 'region: eu\n', [`${API}/a`]: '1' },
      { [`${ENV}/environment.yaml`]: 'metadata: {id: 1}\nregion: us\n' },
    ]);
    const plan = await planOf(engine, { scope: 'acme/prod' });
    expect(blocks(plan)).toEqual([expect.stringMatching(/^KEPT: .*environment\.yaml/)]);
    expect(plan.findings.find(({ code }) => code === 'KEPT')?.hint).toContain(
      '**/environment.yaml#/metadata',
    );
  });

  it('stays in a file whose other parts come back, byte for byte', async () => {
    const file = (id: string, region: string) =>
      `# one\nmetadata: {id: ${id}} # stays\nregion: ${region} # comes\n`;
    const { engine, repo } = await planning([
      { [`${ENV}/environment.yaml`]: file("'0644'", 'eu') },
      { [`${ENV}/environment.yaml`]: file('0x1F', 'us') },
    ]);
    await rollBack(engine, { scope: 'acme/prod', to: 'v1' });
    expect(await repo.git('show', `main:${ENV}/environment.yaml`)).toBe(file('0x1F', 'eu').trimEnd());
  });

  it('is spliced by an anchor only where nothing else hangs on it', async () => {
    const file = (id: string, region: string) => `metadata: &m {id: ${id}}\nregion: ${region}\ncopy: *m\n`;
    const { engine } = await planning([
      { [`${ENV}/environment.yaml`]: file('1', 'eu') },
      { [`${ENV}/environment.yaml`]: file('2', 'us') },
    ]);
    const plan = await planOf(engine, { scope: 'acme/prod' });
    expect(blocks(plan)).toEqual([expect.stringMatching(/^KEPT: /)]);
  });

  it('inside a part with an anchor is refused and never thrown', async () => {
    const config = { ...SHARED, keep: ['clusters/*.yaml#/releases[name=api]/token'] };
    const file = (v: number, token: number) => ({
      'clusters/prod.yaml': `releases:\n  - name: api\n    v: ${v}\n    token: &t x${token}\nother: *t\n`,
    });
    const { engine } = await planning([file(1, 1), file(2, 2)], config);
    const plan = await planOf(engine, { scope: 'prod/api' });
    expect(blocks(plan)).toEqual([expect.stringMatching(/^EDIT_REFUSED: /)]);
  });
});

describe('something that is in the way', () => {
  it('outside the scope blocks, and is named', async () => {
    const { engine } = await planning([
      { [`${API}/service.yaml`]: spec(1) },
      { [`${API}/service.yaml`]: null, [`${ENV}/services`]: 'a file now' },
    ]);
    const { plan } = await engine.plan({ scope: 'acme/prod/api' });
    expect(blocks(plan)).toEqual([
      `PATH_COLLISION: ${API}/service.yaml cannot be restored: ${ENV}/services is in the way.`,
    ]);
    expect(blocks(await planOf(engine, { scope: 'acme/prod' }))).toEqual([]);
  });
});
