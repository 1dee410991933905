import { type Engine, makeRequestId, type Person, type RequestView } from '../../../engine/internal.ts';
import { engineOf } from '../repositories/engine.ts';
import { createRepo, type Repo } from '../repositories/repo.ts';
import { allowedSigners, createIdentity, type Identity } from './signing.ts';

const LAYOUT = { service: ['apps/{environment}/{service}/**'] };

/** Production needs one approval; everything else none. */
export const POLICY = {
  environments: [{ match: 'prod', quorum: 1, breakGlass: { allowed: true, longest: '1h' } }],
};

export const configOf = (policy: object = POLICY, more: object = {}) =>
  `${JSON.stringify({ version: 1, layout: LAYOUT, keep: [], policy, ...more })}\n`;

const of = (scopes: readonly string[], text: string): Record<string, string> =>
  Object.fromEntries(scopes.map((scope) => [`apps/${scope}/app.yaml`, text]));

/** `apps/prod/api` with a good and a bad revision, one line more that a bot may bump, and another environment. `more`: scopes with the same. */
export async function policedRepo(config = configOf(), more: readonly string[] = []): Promise<Repo> {
  const repo = await createRepo();
  const files = (image: string) => ({
    'apps/prod/api/app.yaml': `image: ${image}\nreplicas: 1\n`,
    'apps/dev/api/app.yaml': `image: ${image}\n`,
    ...of(more, `image: ${image}\nreplicas: 1\n`),
  });
  await repo.replay([
    { files: { '.backtrail/config.yaml': config, ...files('v1') } },
    { files: files('v2') },
  ]);
  return repo;
}

export interface Team {
  readonly jane: Identity;
  readonly bob: Identity;
  readonly carol: Identity;
  /** Trusts all three. */
  readonly signers: string;
}

export async function createTeam(): Promise<Team> {
  const [jane, bob, carol] = await Promise.all(
    ['jane', 'bob', 'carol'].map((name) => createIdentity({ name, email: `${name}@example.com` })),
  );
  if (!jane || !bob || !carol) throw new Error('three were made');
  return { jane, bob, carol, signers: await allowedSigners([jane, bob, carol]) };
}

type Options = Parameters<typeof engineOf>[1];

/** The engine of a person: their settings of git, and what they trust. */
export const engineFor = (
  repo: Pick<Repo, 'folder' | 'env'>,
  identity: Pick<Identity, 'env'>,
  options: Options = {},
): Promise<Engine> => engineOf(repo, { ...options, env: { ...identity.env, ...options?.env } });

let made = 0;
export const newId = () => makeRequestId(Date.now(), new Uint8Array(10).fill((made += 1)));

export async function ask(
  engine: Engine,
  author: Person,
  scope = 'prod/api',
  more: Partial<Parameters<Engine['requests']['open']>[0]> & { to?: string; fields?: string[] } = {},
): Promise<RequestView> {
  const { to, fields, ...rest } = more;
  const planned = await engine.plan({ scope, ...(to !== undefined && { to }), ...(fields && { fields }) });
  return engine.requests.open({ planned, author, id: newId(), reason: 'v2 answers 500', ...rest });
}

/**
 * A repository under a policy, three people at it, and a worker; each of them trusts the keys of all three. One that
 * lives for the file has a scope for each test, so that none disturbs another.
 */
export async function stageOf(
  team: Promise<Team>,
  config = configOf(),
  { lives = 'test', scopes = [] }: { lives?: 'test' | 'file'; scopes?: readonly string[] } = {},
) {
  const { jane, bob, carol, signers } = await team;
  const repo = await policedRepo(config, scopes);
  const options = { allowedSigners: signers, lives };
  const [janes, bobs, carols, worker] = await Promise.all([
    engineFor(repo, jane, options),
    engineFor(repo, bob, options),
    engineFor(repo, carol, options),
    engineOf(repo, options),
  ]);
  return { repo, jane, bob, carol, signers, janes, bobs, carols, worker };
}
