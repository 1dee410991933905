/**
 * A code host of our own, on loopback: git over HTTP with protected branches, pull requests in memory, merges by real
 * git, and the REST API of GitHub, GitLab or Gitea, as far as a client of `engine/hosts` needs it. What it answers is
 * held at compile time to the types of @octokit/openapi-types, @gitbeaker/rest and gitea-js.
 *
 *     const bare = await createRepo({ bare: true });           // with its commits on main
 *     const host = await startHost({ kind: 'github', bare: bare.folder });
 *     closeAfterTest(() => host.close());                      // or closeAfterFile: it registers no hooks of its own
 *     git push `${host.authenticated}` HEAD:refs/heads/backtrail/x
 *     await host.merge(1, { by: 'ada', method: 'squash' });
 *
 * A pull request's head is where its branch is in the bare repository, whoever moved it there; every call and every
 * method here looks first. Times are whole seconds, and no two changes have the same one. What the host does is done one
 * after the other, as if by a lock; only what a fault waits for is outside it.
 */
import { randomUUID } from 'node:crypto';
import type { HostKind, HostReview } from '../../../../engine/model/index.ts';
import type { Files } from '../../repositories/repo.ts';
import { type App, createApp } from './dialects/github-app.ts';
import type { HostContext } from './dialects/context.ts';
import { type Answer, type Call, type FaultScope, type Match } from './faults.ts';
import { gitea } from './dialects/gitea.ts';
import { github } from './dialects/github.ts';
import { gitlab } from './dialects/gitlab.ts';
import { createMerger, type MergeRequest } from './repository/merging.ts';
import { protect } from './repository/protection.ts';
import { type Check, createStore, draftTitle, type Pull, type Verdict } from './pulls.ts';
import { openRepository, type Signature } from './repository/repository.ts';
import { type Dialect, listen } from './server.ts';
import { defaultSettings, type HostSettings } from './settings.ts';
import { createTroubles } from './troubles.ts';
import { deliveryOf, type Delivery } from './dialects/webhook.ts';

export type { HostSettings };

export interface HostOptions {
  readonly kind: HostKind;
  /** `acme/config` where absent. */
  readonly repository?: string;
  readonly token?: string;
  /** The account that the token is of: `backtrail-bot` where absent. */
  readonly account?: string;
  /** The git directory of the bare repository that it serves. Its pre-receive hook becomes the host's. */
  readonly bare: string;
  readonly settings?: Partial<HostSettings>;
  /** PEM of a key and its certificate (`makeCertificate` makes one): HTTPS in place of HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** What a check says, by its name; `as: 'status'` is GitHub's older kind. A required one is added to `requiredChecks`. */
type Checks = Readonly<
  Record<
    string,
    CheckWord | { readonly state: CheckWord; readonly required?: boolean; readonly as?: 'run' | 'status' }
  >
>;
type CheckWord = 'pending' | 'failing' | 'green';

export interface Host {
  readonly kind: HostKind;
  /** `127.0.0.1:PORT` */
  readonly name: string;
  /** `acme/config` */
  readonly repository: string;
  /** The address of the repository for git, without a token: `http://127.0.0.1:PORT/acme/config.git`. */
  readonly url: string;
  /** The same with the token as the password. */
  readonly authenticated: string;
  /** Base of the API: `http://127.0.0.1:PORT/api/v3`, `/api/v4`, `/api/v1`. */
  readonly api: string;
  readonly token: string;
  readonly account: string;
  /** Every request in order, with the status that it got (0: none): calls of the API, and git's where `isGit`. Empty it with `splice(0)`. */
  readonly calls: Call[];
  readonly settings: Readonly<HostSettings>;
  change(settings: Partial<HostSettings>): Promise<void>;
  /** GitHub: an app, its key made at the first call. */
  app(): App;
  /** Takes back every token that an app was given. */
  expireTokens(): void;

  /** The pull request as the host has it now. */
  pull(number: number): Promise<Pull>;
  pulls(): Promise<readonly Pull[]>;
  /** What it says of merging one, and counts no look. */
  verdict(number: number): Promise<Verdict>;
  /** A person opens one. */
  open(input: {
    branch: string;
    into: string;
    title: string;
    body?: string;
    by: string;
    isDraft?: boolean;
  }): Promise<Pull>;
  /** A person's click on the page: rejects with what the host says where it would refuse. `force`: an administrator, past the rules. */
  merge(number: number, request: Omit<MergeRequest, 'head' | 'isQueue' | 'isPerson'>): Promise<Pull>;
  /** The queue's turn: merges the number by its own method and with the repository's settings. */
  runQueue(number: number): Promise<Pull>;
  closePull(number: number): Promise<void>;
  reopen(number: number): Promise<void>;
  edit(number: number, change: { title?: string; body?: string; isDraft?: boolean }): Promise<void>;
  retarget(number: number, branch: string): Promise<void>;
  review(number: number, review: { by: string; state: HostReview['state'] }): Promise<void>;
  /** Of the commit that the branch is at: those that are named are all that it has. */
  setChecks(number: number, checks: Checks): Promise<void>;
  /** A person's commit on the branch of a pull request; gives its id. */
  pushTo(number: number, commit: PersonsCommit): Promise<string>;
  /** A person's commit on a branch, past the protection. */
  commitOn(branch: string, commit: PersonsCommit): Promise<string>;
  /** Moves a branch to any commit; null removes it. */
  moveBranch(branch: string, to: string | null): Promise<void>;

  /** What the host would send to a webhook about one; the caller sends it. */
  delivery(number: number, secret: string): Promise<Delivery>;

  /** Answers with this in place of the answer. */
  fail(answer: Answer & FaultScope): void;
  /** Answers later. */
  slow(milliseconds: number, match?: Match, times?: number): void;
  /** Keeps a call waiting; `reached` ends when one waits, `release` lets it go on. */
  hold(match?: Match): { readonly reached: Promise<Call>; release(): void };
  /** Does it, and ends the connection in the middle of the answer. */
  cut(match?: Match, times?: number): void;
  /** Does it, and ends the connection without an answer. */
  loseAnswer(match?: Match, times?: number): void;
  /** Ends the connection and does nothing. */
  drop(match?: Match, times?: number): void;
  /** In the host's own way; `resetAt` in seconds since 1970, GitHub's primary limit; `secondary`, its other one. */
  rateLimit(
    limit: FaultScope & { retryAfter?: number; resetAt?: number; secondary?: boolean; status?: 403 | 429 },
  ): void;
  redirectTo(url: string, match?: Match, status?: 301 | 302 | 307 | 308, times?: number): void;
  /** Refuses with a message that holds the token. */
  echoToken(match?: Match, status?: number): void;
  /** Forgets the faults that are left. */
  clearFaults(): void;
  close(): Promise<void>;
}

interface PersonsCommit {
  readonly files: Files;
  readonly message?: string;
  readonly author?: Signature;
}

const DIALECTS: Readonly<
  Record<HostKind, (context: HostContext, app: ReturnType<typeof createApp>) => Dialect>
> = {
  github,
  gitlab,
  gitea,
};

export async function startHost(options: HostOptions): Promise<Host> {
  const { kind, bare, repository: name = 'acme/config', account = 'backtrail-bot' } = options;
  const token = options.token ?? `token-${randomUUID()}`;
  const settings: HostSettings = { ...defaultSettings(kind), ...options.settings };
  const repository = await openRepository(bare);
  await protect(bare, kind, settings);
  const store = createStore({ kind, repository, settings });
  const granted = new Set<string>();
  const app = createApp(name, granted);
  const exclusive = createLock();

  let origin = '';
  const describe = (pull: Pull) => ({ ...pull, repository: name, url: urlOf(pull) });
  const urlOf = ({ number }: Pull) =>
    `${origin}/${name}/${{ github: 'pull', gitlab: '-/merge_requests', gitea: 'pulls' }[kind]}/${number}`;
  const mergePull = createMerger({ kind, repository, settings, store, describe });

  const server = await listen({
    folder: bare,
    repository: name,
    env: repository.env,
    tls: options.tls,
    dialect(at) {
      origin = at;
      const shared = { kind, origin, name, settings, store, repository, describe, account, merge: mergePull };
      const dialect = DIALECTS[kind](shared, app);
      return { ...dialect, answer: (call) => exclusive(() => dialect.answer(call)) };
    },
    isToken: (given, call) =>
      given === token ||
      granted.has(given) ||
      (/^\/app\/|\/installation$/.test(call.path) && app.isOwn(given)),
    onPush: () => exclusive(() => store.sync()),
  });

  /** One after the other, and by what the branches say now. */
  const withPull = <T>(number: number, use: (pull: Pull) => T | Promise<T>): Promise<T> =>
    exclusive(async () => {
      await store.sync();
      const result = await use(store.get(number));
      await store.sync();
      return result;
    });

  return {
    kind,
    name: server.name,
    repository: name,
    url: `${origin}/${name}.git`,
    authenticated: `${origin.replace('://', `://x-access-token:${token}@`)}/${name}.git`,
    api: `${origin}${server.base}`,
    token,
    account,
    calls: server.calls,
    settings,
    async change(changed) {
      Object.assign(settings, changed);
      await protect(bare, kind, settings);
    },
    app: () => app.make(),
    expireTokens: () => granted.clear(),

    pull: (number) => withPull(number, (pull) => ({ ...pull })),
    pulls: () => exclusive(async () => (await store.sync(), store.pulls.map((pull) => ({ ...pull })))),
    verdict: (number) => withPull(number, (pull) => store.verdict(pull, { isKnown: true })),
    open: ({ by, body = '', isDraft = false, ...input }) =>
      exclusive(() => store.create({ ...input, body, isDraft, author: by })),
    merge: (number, request) =>
      withPull(number, ({ number }) => mergePull(number, { ...request, isPerson: true })),
    runQueue: (number) =>
      withPull(number, () =>
        mergePull(number, {
          by: 'github-merge-queue[bot]',
          method: settings.queue ?? 'merge',
          isQueue: true,
          isPerson: true,
        }),
      ),
    closePull: (number) => withPull(number, (pull) => store.close(pull)),
    reopen: (number) => withPull(number, (pull) => store.reopen(pull)),
    edit: (number, change) =>
      withPull(number, (pull) => {
        const { title = pull.title, body = pull.body, isDraft = pull.isDraft } = change;
        pull.body = body;
        store.entitle(pull, kind === 'github' ? title : draftTitle(kind, title, isDraft));
        pull.isDraft = isDraft;
      }),
    retarget: (number, branch) =>
      withPull(number, (pull) => {
        pull.into = branch;
        store.touch(pull);
      }),
    review: (number, { by, state }) => withPull(number, (pull) => store.review(pull, by, state)),
    setChecks: (number, checks) =>
      withPull(number, (pull) => {
        const all = Object.entries(checks).map(([name, check]) => checkOf(name, check));
        store.setChecks(pull.head, all);
        const required = all.filter(({ isRequired }) => isRequired).map(({ name }) => name);
        settings.requiredChecks = [...new Set([...settings.requiredChecks, ...required])];
      }),
    pushTo: (number, commit) => withPull(number, ({ branch }) => repository.commitOn(branch, commit)),
    commitOn: (branch, commit) =>
      exclusive(async () => {
        const id = await repository.commitOn(branch, commit);
        await store.sync();
        return id;
      }),
    moveBranch: (branch, to) =>
      exclusive(async () => {
        const heads = await repository.heads();
        await repository.move(branch, to, heads.get(branch) ?? '');
        await store.sync();
      }),

    delivery: (number, secret) => withPull(number, (pull) => deliveryOf(kind, pull, secret, name)),
    ...createTroubles({ kind, faults: server.faults, token, account }),
    close: () => server.close(),
  };
}

const STATES = { pending: 'pending', failing: 'failed', green: 'passed' } as const;

function checkOf(name: string, check: Checks[string]): Check & { readonly isRequired: boolean } {
  const { state, required = false, as = 'run' } = typeof check === 'string' ? { state: check } : check;
  return { name, state: STATES[state], isStatus: as === 'status', isRequired: required };
}

/** Runs one after the other, also after one that rejects. */
function createLock() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(run: () => T | Promise<T>): Promise<T> => {
    const next = last.then(run, run);
    last = next.catch(() => undefined);
    return next;
  };
}
