import { shownAddress } from '../process/failure.ts';
import { isFailure, isRefName } from '../../model/index.ts';
import type { ObjectFormat, Offline, Progress } from '../../model/index.ts';
import { isAway } from './answers.ts';
import {
  conditionalSettings,
  hostileScope,
  identityOf,
  LIST_CONFIG,
  parseConfigList,
} from '../process/config.ts';
import type { ConfigEntry } from '../process/config.ts';
import { discoveryEnvironment, hardenedEnvironment } from '../process/environment.ts';
import type { ProcessEnvironment } from '../process/spawn.ts';
import { splitCredentials } from './credentials.ts';
import { createLedgerStore } from '../ledger/store.ts';
import { ledgerAt } from '../ledger/remote.ts';
import { pastLocks } from './left-locks.ts';
import { openMirror, TRACKING, trackingRef } from './mirror.ts';
import { together } from './together.ts';
import { REMOTE } from './push.ts';
import { lastRefusal, rememberRefusal } from './unsigned-refusal.ts';
import type { Mirror } from './mirror.ts';
import { isShallow, isThere, mirrorFolder } from './mirror-cache.ts';
import {
  proposedEdit,
  readBranch,
  readRef,
  type RefEdit,
  requireBranchName,
  requireDescent,
  updateRefs,
} from '../store/refs.ts';
import { indexPlace, type KnownLines } from '../history/line-cache.ts';
import { common } from '../repository.ts';
import type { GitRepository } from '../repository.ts';
import { createConfigReader } from '../config-reader.ts';
import { userFileIn } from '../signing/signers.ts';
import { signingOf } from '../signing/signing.ts';
import { createRunner } from '../process/runner.ts';
import type { Runner } from '../process/runner.ts';
import type { NativeObjects } from '../store/objects.ts';
import { run } from '../process/spawn.ts';
import type { Environment } from '../process/spawn.ts';

export interface RemoteOptions {
  readonly location: string;
  readonly url: string;
  /** Where pushes go, if not there. */
  readonly pushUrl?: string | null;
  /** The whole configuration of the clone whose upstream it is: only the user's own settings in it count. */
  readonly settings?: readonly ConfigEntry[];
  /** Fills a new mirror with objects of this machine before the first fetch; may fail. */
  readonly seed?: (runner: Runner, branches: readonly string[] | null) => Promise<void>;
  /** The branch that is meant; the one that HEAD names where absent. */
  readonly branch?: string | undefined;
  /** As in `MirrorOptions`. */
  readonly countBranches?: (() => Promise<number | null>) | undefined;
  readonly env: ProcessEnvironment;
  readonly cacheFolder: string;
  /** For one local command, and for one fetch or push. */
  readonly timeoutMs: number;
  readonly transportTimeoutMs: number;
  readonly silenceMs?: number;
  /** As in `OpenOptions`. */
  readonly offline?: boolean | undefined;
  readonly renew?: boolean | undefined;
  readonly cacheLimit?: number | undefined;
  readonly sign?: boolean | undefined;
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
  readonly lines: KnownLines;
}

export interface RemoteRepository extends GitRepository {
  readonly objects: NativeObjects;
  readonly runner: Runner;
}
/** Milliseconds. For so long, a remote that could not be reached is not tried again. */
const AWAY_MS = 30_000;
/** Milliseconds. The first question right after opening needs no fetch of its own: most commands open, ask once and end. */
const FRESH_MS = 1_000;

/** A repository somewhere else, through our own mirror of it. Opening fetches. */
export async function openRemote(options: RemoteOptions): Promise<RemoteRepository> {
  const { location, url, env: user, cacheFolder, timeoutMs } = options;
  const args = LIST_CONFIG;
  const { stdout } = await run({ args, cwd: '/', env: discoveryEnvironment(user), timeoutMs });
  const everywhere = parseConfigList(stdout);
  const entries = (options.settings ?? everywhere).filter((entry) => !hostileScope(entry));
  const answerable = options.offline === true && (await isThere(mirrorFolder(cacheFolder, url)));
  const silenceMs = options.silenceMs ?? (answerable ? 20_000 : 60_000);
  const pushUrl = options.pushUrl ?? null;
  const credentials = splitCredentials(url);
  const pushCredentials = pushUrl === null ? null : splitCredentials(pushUrl, 'PUSH');
  const config = [
    ...conditionalSettings(entries, everywhere),
    ...slowness(
      entries.map(({ key }) => key),
      silenceMs,
    ),
    [`remote.${REMOTE}.url`, credentials.address] as const,
    ...credentials.config,
    ...(pushCredentials === null ? [] : [[`remote.${REMOTE}.pushurl`, pushCredentials.address] as const]),
    ...(pushCredentials?.config ?? []),
  ];
  const hardened = hardenedEnvironment({ user, entries, transport: true, config });
  const env = { ...hardened, ...credentials.env, ...pushCredentials?.env };
  const stop = new AbortController();
  const offline = hardenedEnvironment({ user, entries, transport: false });
  const { seed } = options;
  const mirror = await openMirror({
    url,
    pushUrl,
    cacheFolder,
    env,
    timeoutMs: options.transportTimeoutMs,
    // Over http, git itself enforces http.lowSpeedTime.
    silenceMs: /^https?:/i.test(url) ? options.transportTimeoutMs : silenceMs,
    signal: stop.signal,
    offline: options.offline,
    renew: options.renew,
    cacheLimit: options.cacheLimit,
    onProgress: options.onProgress,
    branch: options.branch,
    countBranches: options.countBranches,
    ...(seed && {
      seed: (directory: string, branches: readonly string[] | null) =>
        seedIn(directory, { env: offline, timeoutMs, seed: (into) => seed(into, branches) }),
    }),
  });
  let away = mirror.away === null ? null : { cause: mirror.away, at: performance.now() };
  let freshUntil = performance.now() + FRESH_MS;
  const refresh = together(async () => {
    freshUntil = 0;
    await mirror.refresh();
    away = null;
  });
  const plain = createRunner({
    directory: mirror.directory,
    env: offline,
    timeoutMs,
    signal: stop.signal,
    onProgress: options.onProgress,
  });
  const runner: Runner = {
    ...plain,
    transact: (edits) => pastLocks(plain.directory, () => plain.transact(edits)),
  };
  const shared = common(runner, {
    shallow: await isShallow(mirror.directory),
    format: await objectFormat(runner),
    branches: TRACKING,
    index: indexPlace(mirror.directory, options),
    signing: signingOf(options.settings ?? everywhere),
    sign: options.sign,
  });
  const { directory } = mirror;
  // Asked of git again only where a file of the user's settings has changed.
  const settings = createConfigReader({ env: user, folder: '/', timeoutMs, directory, common: directory });
  const headOf = headOnce(mirror);
  const defaultBranch = () => (away === null ? headOf() : mirror.lastHead());
  const fetchMissing = async (branch: string) => away === null && (await mirror.fetchMissing(branch));
  const tip = async (branch: string) => {
    const read = () => readBranch({ runner, objects: shared.objects, under: TRACKING, branch });
    return read().catch(async (error: unknown) => {
      if (!isFailure(error) || error.code !== 'BRANCH_UNKNOWN' || !(await fetchMissing(branch))) throw error;
      return read();
    });
  };
  return {
    ...shared,
    // A mirror fetches no tags: a tag that is named is looked up at the remote.
    history: {
      ...shared.history,
      async named(name) {
        let { branch } = await shared.history.named(name);
        if (branch === null && (await fetchMissing(name))) ({ branch } = await shared.history.named(name));
        return { branch, tag: away === null && isRefName(name) ? await mirror.tag(name) : null };
      },
    },
    runner,
    kind: 'mirror',
    location,
    worktree: null,
    head: async () => ({ branch: await defaultBranch(), commit: null }),
    checkedOut: () => Promise.resolve(null),
    defaultBranch,
    tip,
    refresh,
    look,
    renewed: mirror.renewed,
    preview: () => Promise.resolve([]),
    destination: (branch) => Promise.resolve({ remote: null, address: shownAddress(url), branch }),
    followUp: () => Promise.resolve([]),
    tryPush: (commit) => mirror.tryPush(commit),
    refusedUnsigned: () => lastRefusal(directory),
    ledgerFetch: () => Promise.resolve(null),
    async publish(edit) {
      requireBranchName(edit.branch);
      await requireDescent({ runner, objects: shared.objects, ...edit });
      const { branch, expected, next, also = [], isWhole = false } = edit;
      const move = { ref: `refs/heads/${branch}`, expected, next };
      const left = await rememberRefusal(directory, branch, () => mirror.push([move], also, { isWhole }));
      edit.onMoved?.();
      for (const moved of [move, ...also]) if (!left.includes(moved)) await track(moved);
      return left;
    },
    async propose({ moves, also = [] }) {
      const edits = moves.map(proposedEdit);
      if (edits.length === 0) return also;
      const left = await rememberRefusal(directory, moves[0]?.branch ?? '', () => mirror.push(edits, also));
      for (const moved of [...edits, ...also.filter((move) => !left.includes(move))]) await track(moved);
      return left;
    },
    async proposedAt(branch) {
      const { ref } = proposedEdit({ branch, expected: null, next: null });
      try {
        await mirror.fetchRef(ref);
      } catch (error) {
        // What was fetched before says nothing of now.
        if (isFailure(error) && error.code === 'BRANCH_UNKNOWN') return null;
        throw error;
      }
      return readRef({ runner, objects: shared.objects, ref: trackingRef(ref) });
    },
    async readBack(branch) {
      await mirror.fetchRef(`refs/heads/${requireBranchName(branch)}`);
      return tip(branch);
    },
    identity: () => Promise.resolve(identityOf(entries, user)),
    userFile: async (key) => userFileIn(await settings.read(), user, key),
    ledger: createLedgerStore({
      runner,
      objects: shared.objects,
      entries: options.settings ?? everywhere,
      cacheFolder,
      address: credentials.address,
      target: url,
      refs: ledgerAt(mirror, { runner, objects: shared.objects }),
    }),
    requireWriting: () => undefined,
    async close() {
      shared.objects.close();
      stop.abort();
      await mirror.close();
    },
  };

  async function look(): Promise<Offline | null> {
    const isFresh = performance.now() < freshUntil;
    freshUntil = 0;
    if (away === null ? !isFresh : performance.now() - away.at > AWAY_MS)
      try {
        await refresh();
      } catch (error) {
        if (options.offline !== true || !isFailure(error) || !isAway(error)) throw error;
        away = { cause: error, at: performance.now() };
      }
    return away === null ? null : { cause: away.cause, asOf: await mirror.fetchedAt() };
  }

  /** A concurrent fetch may have moved the tracking ref further; its value stays then. A lock is not waited for: the next fetch moves it. */
  function track({ ref, expected, next }: RefEdit): Promise<void> {
    return updateRefs(plain, [{ ref: trackingRef(ref), expected, next }]).catch((error: unknown) => {
      if (!isFailure(error)) throw error;
    });
  }
}

async function objectFormat(runner: Runner): Promise<ObjectFormat> {
  return (await runner.text(['rev-parse', '--show-object-format'])) === 'sha256' ? 'sha256' : 'sha1';
}

/** With a runner of its own: the folder is renamed afterwards. */
async function seedIn(
  directory: string,
  { env, timeoutMs, seed }: { env: Environment; timeoutMs: number; seed: (runner: Runner) => Promise<void> },
): Promise<void> {
  const stop = new AbortController();
  try {
    await seed(createRunner({ directory, env, timeoutMs, signal: stop.signal }));
  } finally {
    stop.abort();
  }
}

/** Gives up on a silent http server, unless the user's own configuration sets other limits. */
function slowness(keys: readonly string[], silenceMs: number): [string, string][] {
  if (keys.some((key) => key.startsWith('http.') && key.includes('lowspeed'))) return [];
  return [
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', String(Math.ceil(silenceMs / 1000))],
  ];
}

/** HEAD of the remote hardly ever changes: it is queried once. */
function headOnce(mirror: Mirror): () => Promise<string> {
  let head: Promise<string> | null = null;
  return () => {
    head ??= mirror.head().catch((error: unknown) => {
      head = null;
      throw error;
    });
    return head;
  };
}
