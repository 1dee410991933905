import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BacktrailError, isFailure } from '../../model/index.ts';
import type { ObjectFormat, ObjectId, Progress, RefMove } from '../../model/index.ts';
import { blamedRef, isAloneToBlame, isAway, pushFailure, requireAnswer } from './answers.ts';
import { isDamaged, shownAddress } from '../process/failure.ts';
import { withLock } from './lock.ts';
import {
  fetchedAt,
  isShallow,
  isThere,
  mirrorFolder,
  putInPlace,
  rememberedHead,
  rememberHead,
  removeLeftovers,
  stampFetched,
  trimMirrors,
  usableCache,
  useMirror,
} from './mirror-cache.ts';
import { createMaintenance } from './maintenance.ts';
import { type Fetch, fetchInto, reach } from './mirror-fetch.ts';
import { fetchTracked, isNarrow, narrow, TRACKING } from './narrow.ts';
import { isBranchName, type RefEdit } from '../store/refs.ts';
import { progressReader, telling } from '../process/progress.ts';
import { isNotAtomic, pushOnce, REMOTE, tryPush } from './push.ts';
import type { Environment } from '../process/spawn.ts';
import { createTransport } from './transport.ts';
import type { TransportAnswer } from './transport.ts';

/**
 * Our own bare copy of a remote: its branches under `refs/remotes/origin/`, our refs there under `refs/backtrail/remote/`.
 * It is a cache: what is staged in it is published or lost.
 */
export interface Mirror {
  readonly directory: string;
  /** Why the remote could not be reached on opening; null where the mirror is up to date. */
  readonly away: BacktrailError | null;
  /** It was found damaged on opening, and fetched anew. */
  readonly renewed: boolean;
  /** Fetches every branch; of very many those that were asked for. */
  refresh(): Promise<void>;
  /** When it was last up to date. */
  fetchedAt(): Promise<Date>;
  /** Fetches one ref, as `trackingRef` has it. BRANCH_UNKNOWN where the remote has none of that name. */
  fetchRef(ref: string): Promise<void>;
  /** Fetches a branch that a mirror of many branches may not have; false where there is nothing to fetch. */
  fetchMissing(branch: string): Promise<boolean>;
  /** The commit that a tag of the remote is at; null where it has none of that name. */
  tag(name: string): Promise<ObjectId | null>;
  /** The branch that the remote's HEAD names. */
  head(): Promise<string>;
  /** What `head` returned last, in any process. @throws BRANCH_UNKNOWN where it was never called */
  lastHead(): Promise<string>;
  /**
   * Moves refs of the remote, and others with them in one atomic push. Gives those others where they did not move, because the server has no
   * atomic pushes or refuses them: the first ones moved alone. `isWhole`: nothing moves then, and REMOTE_REJECTED says why.
   */
  push(
    moves: readonly RefEdit[],
    also?: readonly RefMove[],
    how?: { readonly isWhole?: boolean },
  ): Promise<readonly RefMove[]>;
  /** A dry run of a push. `atomic`: the server supports atomic pushes. */
  tryPush(commit: ObjectId): Promise<{ readonly atomic: boolean }>;
  /** Resolves when background maintenance has ended. */
  close(): Promise<void>;
}

export interface MirrorOptions {
  readonly url: string;
  /** Where pushes go, if not there. */
  readonly pushUrl?: string | null;
  readonly cacheFolder: string;
  /** The hardened environment, which names the url as that of REMOTE. */
  readonly env: Environment;
  /** Milliseconds for one fetch or push. */
  readonly timeoutMs: number;
  /** Milliseconds that the remote may be silent. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  /**
   * Puts objects, and tracking refs to them (of all branches, or of these), into a new mirror, so that the first fetch brings only what is missing. Nothing
   * of the refs stays but what that fetch, which prunes, leaves. A failure costs time only.
   */
  readonly seed?: (directory: string, branches: readonly string[] | null) => Promise<void>;
  /** The branch that is meant; the one that HEAD names where absent. Of a remote with very many branches only what is asked for is fetched. */
  readonly branch?: string | undefined;
  /** How many branches the remote had when a clone of it was last fetched; null where that is not known. */
  readonly countBranches?: (() => Promise<number | null>) | undefined;
  /** Opens the mirror as it is where the remote cannot be reached: `away` says why. */
  readonly offline?: boolean | undefined;
  /** Fetches everything anew into another mirror, which then replaces the present one. */
  readonly renew?: boolean | undefined;
  /** Bytes of all mirrors together; without limit where absent. */
  readonly cacheLimit?: number | undefined;
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
}

export { TRACKING };

/** Milliseconds. */
const LATER_MS = 2_000;
const APART_MS = 60_000;

/** Where the mirror keeps what the remote has there. */
export const trackingRef = (ref: string) =>
  ref.replace(/^refs\/heads\//, `${TRACKING}/`).replace(/^refs\/backtrail\//, 'refs/backtrail/remote/');

const refspec = (ref: string) => `+${ref}:${trackingRef(ref)}`;
const OURS = refspec('refs/backtrail/*');
const REFSPECS = [refspec('refs/heads/*'), OURS];

/** Opens the mirror, up to date; makes it first where there is none yet, and again where there is a damaged one. */
export async function openMirror(options: MirrorOptions): Promise<Mirror> {
  const directory = mirrorFolder(options.cacheFolder, options.url);
  return usableCache(options.cacheFolder, () => openIn(directory, options));
}

async function openIn(directory: string, options: MirrorOptions): Promise<Mirror> {
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  const opened = await lockedBy(directory, options, async () => {
    const state = await bringUpToDate(directory, options);
    return { ...state, release: await useMirror(directory) };
  });
  // Not in the background: a short command would never get to it.
  if (opened.filled) await trim(directory, options);
  return createMirror(directory, options, opened);
}

interface Opened {
  readonly away: BacktrailError | null;
  readonly renewed: boolean;
  /** New objects came: into a mirror that was there, or all of them. */
  readonly grown: boolean;
  readonly filled: boolean;
  readonly release: () => Promise<void>;
}

async function bringUpToDate(directory: string, options: MirrorOptions): Promise<Omit<Opened, 'release'>> {
  const there = await isThere(directory);
  if (!there || options.renew === true) {
    await fillNew(directory, options, there);
    return { away: null, renewed: there, grown: false, filled: true };
  }
  try {
    const grown = await fetchAll(fetchContext(directory, options), options);
    return { away: null, renewed: false, grown, filled: false };
  } catch (error) {
    if (!isFailure(error)) throw error;
    if (options.offline === true && isAway(error))
      return { away: error, renewed: false, grown: false, filled: false };
    if (!isDamaged(error)) throw error;
    await fillNew(directory, options, true);
    return { away: null, renewed: true, grown: false, filled: true };
  }
}

/** The new mirror replaces the present one only when it is complete. */
async function fillNew(directory: string, options: MirrorOptions, known: boolean): Promise<void> {
  await removeLeftovers(directory);
  const unfinished = `${directory}.new-${randomUUID()}`;
  try {
    const context: Fetch = {
      ...fetchContext(unfinished, options),
      known: known || options.seed !== undefined,
      isNew: true,
    };
    const maintenance = maintenanceOf(unfinished, options);
    const fill = async (format: ObjectFormat) => {
      await rm(unfinished, { recursive: true, force: true });
      await mkdir(unfinished, { mode: 0o700 });
      await maintenance.init(format);
      const counted = (await options.countBranches?.()) ?? null;
      const branches = await narrow(context, { branch: options.branch ?? null, counted });
      await options.seed?.(unfinished, branches).catch(() => undefined);
      await fetchAll(context, options, branches);
    };
    // A mirror needs the object format of its remote, which only a fetch tells.
    await fill('sha1').catch(async (error: unknown) => {
      if (!isFailure(error) || error.details['otherFormat'] !== true) throw error;
      await fill('sha256');
    });
    const { onProgress } = options;
    // Only an optimisation of later reads.
    await maintenance
      .writeCommitGraph({ split: false, ...(onProgress && { onError: progressReader(onProgress) }) })
      .catch(() => undefined);
    await putInPlace(directory, unfinished);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Did anything new arrive? */
async function fetchAll(
  context: Fetch,
  { env }: Pick<MirrorOptions, 'env'>,
  branches: readonly string[] | null = null,
): Promise<boolean> {
  // As deep as the remote, which may be less shallow than before.
  const deepen = (await isShallow(context.directory)) ? ['--unshallow'] : [];
  const args = ['--prune', ...deepen, REMOTE];
  const { stderr } = (await isNarrow(context.directory))
    ? await fetchTracked(context, { env, options: [...args, OURS] }, branches)
    : await fetchInto(context, [...args, ...REFSPECS]);
  await stampFetched(context.directory);
  return stderr.includes(' -> ');
}

function createMirror(directory: string, options: MirrorOptions, opened: Opened): Mirror {
  const { url, signal, silenceMs, onProgress } = options;
  const shown = shownAddress(url);
  const shownPush = shownAddress(options.pushUrl ?? url);
  const context = fetchContext(directory, options);
  const { transport } = context;
  let background = Promise.resolve();
  /** Until a push shows that it does not: other refs together with a branch. */
  let takesRecords = true;
  /** Until then nothing is pushed that has to go together: it was refused a while ago. */
  let apartUntil = 0;

  const locked = <Value>(use: () => Promise<Value>) => lockedBy(directory, options, use);
  const query = async (args: readonly string[]) => {
    const answer = await telling('asking', onProgress, () =>
      reach(url, () => transport.git(args, { silence: { ms: silenceMs } })),
    ).finally(() => onProgress?.(null));
    requireAnswer(answer, { shown, known: true });
    return answer;
  };
  const maintain = async () => {
    const maintenance = maintenanceOf(directory, options);
    for (const task of [
      () => maintenance.writeCommitGraph({ split: true }),
      () => maintenance.collectGarbage(),
    ])
      if (!signal.aborted) await task().catch(() => undefined);
    if (!signal.aborted) await trim(directory, options);
  };
  const maintainNow = () => void (background = background.then(maintain));
  if (opened.grown) maintainNow();
  let waiting: NodeJS.Timeout | undefined;
  /** Not beside the work that the refresh was for. */
  const maintainLater = () => {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      maintainNow();
    }, LATER_MS).unref();
  };
  return {
    directory,
    away: opened.away,
    renewed: opened.renewed,
    fetchedAt: () => fetchedAt(directory),
    async refresh() {
      if (await locked(() => fetchAll(context, options))) maintainLater();
    },
    async fetchRef(ref) {
      await locked(() => fetchInto(context, [REMOTE, `+${ref}:${trackingRef(ref)}`]));
    },
    async fetchMissing(branch) {
      if (!isBranchName(branch) || !(await isNarrow(directory))) return false;
      const ref = `refs/heads/${branch}`;
      return locked(() => fetchInto(context, [REMOTE, refspec(ref)])).then(
        () => true,
        (error: unknown) => {
          if (isFailure(error) && error.code === 'BRANCH_UNKNOWN') return false;
          throw error;
        },
      );
    },
    async tag(name) {
      const ref = `refs/tags/${name}`;
      const { stdout } = await query(['ls-remote', REMOTE, ref, `${ref}^{}`]);
      const found = new Map(stdout.split('\n').map((line) => [line.split('\t')[1], line.split('\t')[0]]));
      return found.get(`${ref}^{}`) ?? found.get(ref) ?? null;
    },
    async head() {
      const answer = await query(['ls-remote', '--symref', REMOTE, 'HEAD']);
      const branch = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(answer.stdout)?.[1];
      if (branch === undefined)
        throw new BacktrailError('BRANCH_UNKNOWN', `HEAD names no branch at ${shown}.`);
      await rememberHead(directory, branch);
      return branch;
    },
    async lastHead() {
      const branch = await rememberedHead(directory);
      if (branch !== null) return branch;
      throw new BacktrailError('BRANCH_UNKNOWN', `It is not known yet which branch HEAD names at ${shown}.`);
    },
    async push(edits, also = [], { isWhole = false } = {}) {
      const failure = (answer: TransportAnswer, moves: readonly RefEdit[]) =>
        pushFailure(answer, {
          shown: shownPush,
          ref: blamedRef(
            answer,
            moves.map(({ ref }) => ref),
          ),
          fetched: shown,
        });
      const moves = [...edits, ...also];
      if (isWhole && (!takesRecords || performance.now() < apartUntil)) throw apart(shownPush);
      const isTogether = takesRecords && also.length > 0;
      if (isTogether) {
        const answer = await reach(url, () => pushOnce(transport, moves, silenceMs));
        if (answer.code === 0) return [];
        const failed = failure(answer, moves);
        const others = also.map(({ ref }) => ref);
        const isRefused =
          failed.code === 'REMOTE_REJECTED' &&
          !isAloneToBlame(
            answer,
            edits.map(({ ref }) => ref),
            others,
          );
        if (!isRefused && !isNotAtomic(answer)) throw failed;
        if (isWhole) {
          apartUntil = performance.now() + APART_MS;
          throw failed;
        }
      }
      const answer = await reach(url, () => pushOnce(transport, edits, silenceMs));
      if (answer.code !== 0) throw failure(answer, edits);
      if (isTogether) takesRecords = false;
      return also;
    },
    tryPush: (commit) => tryPush(url, transport, commit, silenceMs),
    async close() {
      clearTimeout(waiting);
      await background;
      await opened.release();
    },
  };
}

const apart = (shown: string) =>
  new BacktrailError('REMOTE_REJECTED', `${shown} does not take the branch and its records in one push.`);

/** Best effort. */
async function trim(directory: string, { cacheLimit, signal }: MirrorOptions): Promise<void> {
  if (cacheLimit !== undefined) await trimMirrors(directory, cacheLimit, signal).catch(() => undefined);
}

function fetchContext(directory: string, options: MirrorOptions): Fetch {
  const { url, env, timeoutMs, silenceMs, signal, onProgress } = options;
  const transport = createTransport({ directory, env: { ...env, GIT_DIR: directory }, timeoutMs, signal });
  return { transport, directory, url, known: true, silenceMs, onProgress };
}

const maintenanceOf = (directory: string, { env, timeoutMs, signal }: MirrorOptions) =>
  createMaintenance({ directory, env, timeoutMs, signal });

function lockedBy<Value>(
  directory: string,
  options: MirrorOptions,
  use: () => Promise<Value>,
): Promise<Value> {
  const wait = { waitMs: options.timeoutMs, signal: options.signal };
  const { onProgress, cacheFolder } = options;
  return telling('locked', onProgress, (tell) =>
    usableCache(cacheFolder, () =>
      withLock(`${directory}.lock`, wait, () => {
        tell?.(null);
        return use();
      }),
    ),
  ).finally(() => onProgress?.(null));
}
