/** Rollbacks that need nobody else in repositories of their own kinds: object ids of SHA-256, holds, manifests. */
import { engineOf, rollBack } from '../../../../helpers/repositories/engine.ts';
import { createRepo } from '../../../../helpers/repositories/repo.ts';
import { publish, repoWith } from '../../../holds/held-repo.ts';
import { API, FOLDER, stage } from '../../../requests/arrived-scene.ts';
import { type Case, DELIVERY, keysWith, RESUME, type Story } from '../case.ts';
import { diary } from './diary.ts';

const plain = { kind: 'rollback', how: 'push' } as const;

export const SHA256: Story = {
  name: 'sha256',
  cases: [
    {
      ...plain,
      name: 'SHA-256',
      what: 'a service in a repository with object ids of SHA-256',
      trailers: keysWith(),
      restored: 'apps/prod/api/app.yaml',
      other: 'apps/prod/api/more.yaml',
      neighbour: 'web',
      isSha256: true,
    },
  ],
  async build() {
    const repo = await createRepo({ bare: true, format: 'sha256' });
    const config = { version: 1, layout: { service: ['apps/{environment}/{service}/**'] }, keep: [] };
    const files = (tag: string) => ({
      'README.md': `${tag}\n`,
      'apps/prod/api/app.yaml': `image: ${tag}\n`,
      'apps/prod/api/more.yaml': `more: ${tag}\n`,
      'apps/prod/web/app.yaml': `image: ${tag}\n`,
    });
    await repo.replay([
      { files: { '.backtrail/config.yaml': JSON.stringify(config), ...files('v1') } },
      { files: files('v2') },
    ]);
    const { note, done } = diary(repo);
    const engine = await engineOf(repo, { lives: 'file' });
    await note('SHA-256', await rollBack(engine, { scope: 'prod/api' }));
    return { repo, signers: null, done };
  },
};

const HELD = 'apps/prod/api/app.yaml';
const resume = {
  kind: 'resume',
  how: 'push',
  trailers: RESUME,
} as const;
const bot = (name: string, tag: string) =>
  `${name}:\n  tag: ${tag} # {"$imagepolicy": "flux-system:${name}:tag"}\n`;

export const HOLDS: Story = {
  name: 'holds',
  cases: [
    {
      ...plain,
      name: 'hold',
      what: 'with a hold that automation must not move',
      trailers: keysWith(['Rollback-Hold']),
      restored: HELD,
      places: true,
      neighbour: 'web',
    },
    {
      ...plain,
      name: 'second hold',
      what: 'over a hold that is there, for a time',
      trailers: keysWith(['Rollback-Hold']),
      restored: HELD,
      places: true,
      neighbour: 'web',
    },
    { ...resume, name: 'resume of a field', what: 'a hold is lifted for one field', restored: HELD },
    { ...resume, name: 'resume', what: 'all holds of a service are lifted', restored: HELD },
  ],
  async build() {
    const both = (tag: string) => `${bot('a', tag)}${bot('b', tag)}`;
    const repo = await repoWith((tag) => ({
      [HELD]: both(tag),
      'apps/prod/web/app.yaml': `image: ${tag}\n`,
      'README.md': `${tag}\n`,
    }));
    const engine = await engineOf(repo, { lives: 'file' });
    const { note, done } = diary(repo);
    await note('hold', (await publish(engine, { scope: 'prod/api' }, 'Two\nlines')).result);
    await repo.replay([{ files: { [HELD]: both('v3') } }]);
    await note('second hold', (await publish(engine, { scope: 'prod/api', holdFor: '7d' })).result);
    const fields = [`${HELD}#/b/tag`];
    await note(
      'resume of a field',
      (await publish(engine, { scope: 'prod/api', fields, resume: true })).result,
    );
    await note('resume', (await publish(engine, { scope: 'prod/api', resume: true })).result);
    return { repo, signers: null, done };
  },
};

const delivered = {
  ...plain,
  trailers: keysWith(['Rollback-Tenant']),
  delivery: DELIVERY,
  restored: `${FOLDER}/api/service.yaml`,
  other: `${FOLDER}/api/map.yaml`,
  output: 'out/acme/production/api.yaml',
} as const satisfies Partial<Case>;

export const MANIFESTS: Story = {
  name: 'manifests',
  cases: [
    { ...delivered, name: 'manifests', what: 'a service of a tenant, with manifests', neighbour: 'web' },
    {
      ...delivered,
      name: 'all manifests',
      what: 'an environment with the manifests of two services, signed off',
      trailers: keysWith(['Rollback-Tenant', 'Signed-off-by'], ['Service']),
      delivery: [...DELIVERY, 'Signed-off-by'],
      isSignedOff: true,
    },
  ],
  async build() {
    const repo = await stage({ policy: { environments: [] } });
    await repo.replay([{ files: { 'README.md': 'one\n' } }]);
    const engine = await engineOf(repo, { lives: 'file' });
    const { note, done } = diary(repo);
    await note('manifests', await rollBack(engine, { scope: API }));
    const config = await repo.git('show', 'main:.backtrail/config.yaml');
    const signed = JSON.stringify({ ...JSON.parse(config), commit: { signoff: true } });
    const [before = ''] = await repo.replay([{ files: { '.backtrail/config.yaml': signed } }]);
    await note('all manifests', await rollBack(engine, { scope: 'acme/production', to: `${before}~5` }));
    return { repo, signers: null, done };
  },
};
