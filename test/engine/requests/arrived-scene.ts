/** A rollback that is proposed and then merged in one of the ways of code hosts, by plain git; the ledger is written by the engine's own hand. */
import { join } from 'node:path';
import type { Engine, RequestId } from '../../../engine/internal.ts';
import { type GitRepository, openGit } from '../../../engine/git/open.ts';
import { createHosts } from '../../../engine/hosts/hosts.ts';
import { openRegistries } from '../../../engine/images/open.ts';
import type { Arrival, ObjectId, Proposed } from '../../../engine/model/index.ts';
import { changeDigest, sumOf } from '../../../engine/record/change-digest.ts';
import { createPrograms, sandboxOf } from '../../../engine/render/programs/index.ts';
import { type RequestContext, stamp } from '../../../engine/requests/context.ts';
import { withArrivals } from '../../../engine/requests/arrivals/port.ts';
import { append } from '../../../engine/requests/ledger/append.ts';
import { onRequest } from '../../../engine/requests/ledger/entries.ts';
import { createCache } from '../../../engine/requests/ledger/snapshot.ts';
import { createObserve } from '../../../engine/rollback/observe.ts';
import { closeAfterTest } from '../../helpers/run/lifetime.ts';
import { engineOf, JANE, SERVICE } from '../../helpers/repositories/engine.ts';
import { CONFIG } from '../../helpers/repositories/plan-repo.ts';
import { copyRepo, createRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';

export const FOLDER = 'tenants/acme/production/services';
export const LINK = { number: 7, url: 'https://git.example.com/acme/config/pull/7' };
export const API = 'acme/production/api';
export const WEB = 'acme/production/web';

const service = (name: string, tag: string, replicas = 1) => ({
  [`${FOLDER}/${name}/service.yaml`]: `image:\n  tag: ${tag}\nport: 80\npath: /\nhost: ${name}\nreplicas: ${replicas}\n`,
  [`${FOLDER}/${name}/map.yaml`]: `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { v: "${tag}" }\n`,
});

export interface Wish {
  readonly scope: string;
  readonly fields?: string[];
}

/** `api` and `web` with four revisions each, the last of them bad, and manifests. */
export async function stage(more: object = {}): Promise<Repo> {
  const repo = await createRepo({ bare: true });
  const config = {
    ...CONFIG,
    delivery: { output: 'out/{tenant}/{environment}/{service}.yaml' },
    policy: { environments: [{ match: '*/*', quorum: 0, unsignedRequests: true }] },
    ...more,
  };
  await repo.replay(
    [
      {
        '.backtrail/config.yaml': `${JSON.stringify(config)}\n`,
        ...service('api', 'v0'),
        ...service('web', 'v0'),
      },
      { ...service('api', 'v1'), ...service('web', 'v1') },
      service('api', 'v2'),
      service('web', 'v2', 2),
      service('api', 'v3', 3),
      service('web', 'v3', 2),
    ].map((files) => ({ files })),
  );
  return repo;
}

/** Opens requests in the ledger; nobody has to approve them. */
async function open(engine: Engine, wishes: readonly Wish[]): Promise<RequestId[]> {
  const asks = [];
  for (const wish of wishes) {
    const { target, digest, base } = await engine.rollbacks.plan({ ...wish, author: JANE });
    asks.push({ ...wish, target, digest, base, author: JANE, reason: 'It answers 500' });
  }
  return (await engine.rollbacks.requestMany(asks)).map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value.requestId;
  });
}

const ELSEWHERE = { 'tenants/other/production/services/db/service.yaml': 'image:\n  tag: v9\n' };

/** Somebody else's commit, so that what is merged is not what was made. */
export async function moveOn(
  repo: Repo,
  files: Readonly<Record<string, string>> = ELSEWHERE,
): Promise<ObjectId> {
  const [commit = ''] = await repo.replay([{ files }]);
  return commit;
}

/** What is proposed: for each request its commit, and that of its manifests, one after the other. */
export interface Branch {
  readonly base: ObjectId;
  readonly members: readonly {
    readonly id: RequestId;
    readonly commit: ObjectId;
    readonly deliveryCommit: ObjectId | null;
  }[];
  readonly tip: ObjectId;
}

/** Requests as they are executed on a copy, and their commits brought to a branch of the repository. */
export async function propose(repo: Repo, wishes: readonly Wish[]): Promise<Branch> {
  const base = await repo.git('rev-parse', 'main');
  const ids = await open(await engineOf(repo), wishes);
  const copy = await copyRepo(repo);
  const worker = await engineOf(copy);
  const members = [];
  for (const id of ids) {
    const { commit, deliveryCommit } = await worker.requests.executeRequest(id);
    members.push({ id, commit: commit ?? '', deliveryCommit });
  }
  await repo.git('fetch', '--quiet', copy.folder, `main:refs/heads/backtrail/${ids[0]}`);
  return { base, members, tip: await repo.git('rev-parse', `backtrail/${ids[0]}`) };
}

export type Message = (branch: { readonly subject: string; readonly bodies: readonly string[] }) => string;

/** The tree of main with all of the branch merged into it. */
const mergedTree = (repo: Repo, branch: string) => repo.git('merge-tree', '--write-tree', 'main', branch);

async function commitOnMain(
  repo: Repo,
  tree: string,
  parents: readonly string[],
  message: string,
): Promise<ObjectId> {
  const args = ['commit-tree', ...parents.flatMap((parent) => ['-p', parent]), tree];
  const env = {
    GIT_AUTHOR_NAME: 'Bob',
    GIT_AUTHOR_EMAIL: 'bob@example.com',
    GIT_COMMITTER_NAME: 'Host',
    GIT_COMMITTER_EMAIL: 'noreply@git.example.com',
  };
  const commit = await repo.gitWith({ env, input: message }, args);
  await repo.git('update-ref', 'refs/heads/main', commit);
  return commit;
}

const bodiesOf = async (repo: Repo, { base, tip }: Branch) =>
  (await repo.git('log', '--reverse', '-z', '--format=%B', `${base}..${tip}`)).split('\0').filter(Boolean);

/** Merges as a host does, one commit that brings all. */
export async function mergeAs(
  repo: Repo,
  branch: Branch,
  { parents, message }: { readonly parents: 1 | 2; readonly message: Message },
): Promise<ObjectId> {
  const main = await repo.git('rev-parse', 'main');
  const bodies = await bodiesOf(repo, branch);
  const text = message({ subject: bodies[0]?.split('\n')[0] ?? '', bodies });
  return commitOnMain(
    repo,
    await mergedTree(repo, branch.tip),
    parents === 1 ? [main] : [main, branch.tip],
    text,
  );
}

/** Rebases as a host does, a commit for each; gives their new ids, oldest first. */
export async function rebase(repo: Repo, { base, tip }: Branch): Promise<ObjectId[]> {
  const commits = (await repo.git('rev-list', '--reverse', `${base}..${tip}`)).split('\n');
  const made: ObjectId[] = [];
  for (const commit of commits) {
    const main = await repo.git('rev-parse', 'main');
    const message = await repo.git('log', '-1', '--format=%B', commit);
    made.push(await commitOnMain(repo, await mergedTree(repo, commit), [main], message));
  }
  return made;
}

/** A context as requests have one, on the repository itself. */
export async function contextOf(repo: Repo): Promise<RequestContext> {
  const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
  const git = await openGit({
    location: repo.folder,
    cacheFolder: join(await temporaryFolder(), 'cache'),
    env: repo.env,
  });
  closeAfterTest(() => git.close());
  const observe = createObserve(git, null);
  const cache = createCache();
  const hosts = createHosts({}, clock);
  closeAfterTest(() => hosts.close());
  const arrivals = { git, cache: new Map(), context: () => Promise.resolve(context) };
  const context: RequestContext = {
    git,
    hosts,
    observe: async () => withArrivals(arrivals, await observe()),
    programs: createPrograms({
      path: '',
      allowed: [],
      sandbox: sandboxOf(undefined),
      signal: new AbortController().signal,
    }),
    registries: openRegistries({}, clock),
    config: null,
    committer: SERVICE,
    clock,
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    allowedSigners: null,
    cache,
    background: (work) => void work.catch(() => undefined),
  };
  return context;
}

/** What the events of a request say of the branch. */
async function proposalsOf(
  repo: Repo,
  git: GitRepository,
  branch: Branch,
): Promise<Map<RequestId, Proposed>> {
  const body = (commit: ObjectId) => repo.git('log', '-1', '--format=%B', commit);
  const changesOf = async (commit: ObjectId) => (await git.inspect([commit]))[0]?.changes ?? [];
  const all = [];
  const proposals = new Map<RequestId, Proposed>();
  for (const { id, commit, deliveryCommit } of branch.members) {
    const own = [await changesOf(commit), ...(deliveryCommit ? [await changesOf(deliveryCommit)] : [])];
    all.push(...own);
    proposals.set(id, {
      via: 'pull-request',
      branch: `backtrail/${branch.members[0]?.id}`,
      base: branch.base,
      commit,
      deliveryCommit,
      tip: branch.tip,
      messages: { revert: await body(commit), delivery: deliveryCommit && (await body(deliveryCommit)) },
      change: {
        revert: changeDigest(git.hasher, own[0] ?? []),
        delivery: own[1] ? changeDigest(git.hasher, own[1]) : null,
        whole: changeDigest(git.hasher, sumOf(own)),
      },
    });
  }
  const together = changeDigest(git.hasher, sumOf(all));
  if (branch.members.length > 1)
    for (const [id, proposed] of proposals) proposals.set(id, { ...proposed, together });
  return proposals;
}

export interface Told {
  readonly how: Arrival;
  /** By request: what is said to have brought it. */
  readonly commits: ReadonlyMap<
    RequestId,
    { readonly commit: ObjectId; readonly deliveryCommit: ObjectId | null }
  >;
  /** What is said to have been proposed, in place of the truth. */
  readonly forged?: (proposed: Proposed) => Proposed;
}

/** Writes `proposed`, `linked` and `completed` of every request of the branch. */
export async function tell(
  repo: Repo,
  branch: Branch,
  { how, commits, forged }: Told,
): Promise<RequestContext> {
  const context = await contextOf(repo);
  const { layout } = await context.observe();
  const rules = { ref: layout.config.ledger.ref, signoff: false };
  const proposals = await proposalsOf(repo, context.git, branch);
  const write = (events: (id: RequestId) => Parameters<typeof onRequest>[1] | null) =>
    append(context, rules, () =>
      Promise.resolve(
        branch.members.flatMap(({ id }) => {
          const event = events(id);
          return event === null ? [] : [onRequest(id, event)];
        }),
      ),
    );
  await write((id) => {
    const proposed = proposals.get(id);
    return proposed === undefined
      ? null
      : { ...stamp(context, SERVICE), type: 'proposed', proposed: forged?.(proposed) ?? proposed };
  });
  await write(() => ({ ...stamp(context, SERVICE), type: 'linked', link: LINK }));
  await write((id) => {
    const brought = commits.get(id);
    return brought === undefined
      ? null
      : {
          ...stamp(context, SERVICE),
          type: 'completed',
          outcome: 'completed',
          ...brought,
          arrived: { how, link: LINK, by: 'bob', reviews: [] },
        };
  });
  return context;
}

/** All of the branch came with one commit. */
export const broughtBy = (
  { members }: Branch,
  commit: ObjectId,
  deliveryCommit: ObjectId | null = null,
): Told['commits'] => new Map(members.map(({ id }) => [id, { commit, deliveryCommit }]));
