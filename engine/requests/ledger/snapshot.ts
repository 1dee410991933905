/** The ledger at one of its commits. What was read is remembered by object id: objects never change. */
import {
  BacktrailError,
  type EnvironmentName,
  type EventId,
  MODE,
  type ObjectId,
  type RepositoryReader,
  type RequestId,
  type SessionId,
  type Signature,
} from '../../model/index.ts';
import type { GitRepository } from '../../git/open.ts';
import { decode } from '../../yaml/core/text.ts';
import { treeView } from '../../snapshot/view.ts';
import {
  readRequestEvents,
  readSessionEvents,
  requestPath,
  type RequestFile,
  type SessionFile,
  sessionPath,
} from '../../record/ledger-file.ts';
import { knownIn, knownOf, type KnownRequest, newestKnownFirst, versionsIn } from './index-file.ts';
import { latestOf, readCommits, type LedgerCommit, type Version, versionsOf } from './commits.ts';
import { INDEX_FROM, type KnownIndex, readIndex, writeIndex } from './read-index.ts';
import { foldSession } from '../../policy/session.ts';
import { foldRequest } from '../../record/transitions.ts';

export interface LedgerSnapshot {
  readonly tip: ObjectId | null;
  request(id: RequestId): Promise<RequestFile | null>;
  /** Those that `is` accepts, newest first: at most `limit`, and only what comes after a request where one is named. */
  find(is: (known: KnownRequest) => boolean, page?: Page): Promise<readonly RequestFile[]>;
  /** What those are known to be, newest first. */
  known(is: (known: KnownRequest) => boolean): Promise<readonly KnownRequest[]>;
  /** Those whose files have this text, in any order: all files are looked at, and only these are parsed. */
  containing(text: string): Promise<readonly RequestFile[]>;
  session(id: SessionId): Promise<SessionFile | null>;
  sessions(): Promise<readonly SessionFile[]>;
  /** Every commit of the ledger, oldest first. */
  commits(): Promise<readonly LedgerCommit[]>;
  /** Those that wrote a file, oldest first. */
  versions(path: string): Promise<readonly Version[]>;
}

interface Page {
  readonly limit?: number;
  /** REQUEST_UNKNOWN where the ledger does not have it. */
  readonly after?: RequestId;
  /** One that may not be read is none that the ledger has. */
  readonly mayRead?: (known: KnownRequest) => boolean;
}

/** A commit of the branch that says which request it executes. */
export interface PublishedRequest {
  readonly commit: ObjectId;
  readonly deliveryCommit: ObjectId | null;
  /** Absent: it is a resume. */
  readonly target?: ObjectId;
  readonly plan: string;
}

/** For as long as a repository is open. */
export interface LedgerCache {
  readonly requests: Map<ObjectId, Promise<RequestFile>>;
  readonly sessions: Map<ObjectId, Promise<SessionFile>>;
  readonly folders: Map<ObjectId, Promise<readonly Found[]>>;
  /** By commit, and the time at which its key was judged. */
  readonly signatures: Map<string, Promise<Signature | undefined>>;
  /** By request and digest: who owned what it changes on that tip of the branch. */
  readonly owners: Map<string, { readonly base: ObjectId; readonly owners: readonly EnvironmentName[] }>;
  /** What the branch holds, at a tip of it. */
  published: {
    readonly base: ObjectId;
    readonly requests: ReadonlyMap<RequestId, PublishedRequest>;
  } | null;
  /** Milliseconds since 1970: when the newest event was written. */
  newest: { readonly tip: ObjectId; readonly time: number } | null;
  index: KnownIndex;
  /** The requests that are not over, at a tip of the ledger. */
  open: { readonly tip: ObjectId; readonly known: Promise<readonly KnownRequest[]> } | null;
  /** Read once, however many ask for it at the same time. */
  log: { readonly tip: ObjectId; readonly reading: Promise<LedgerLog> } | null;
}

interface LedgerLog {
  readonly tip: ObjectId;
  readonly commits: readonly LedgerCommit[];
  readonly versions: ReadonlyMap<string, readonly Version[]>;
}

interface Found {
  /** Below the folder. */
  readonly path: string;
  readonly blob: ObjectId;
}

export const createCache = (): LedgerCache => ({
  requests: new Map(),
  sessions: new Map(),
  folders: new Map(),
  signatures: new Map(),
  owners: new Map(),
  published: null,
  newest: null,
  index: null,
  open: null,
  log: null,
});

const CACHED = 20_000;

/** How a snapshot is read. */
interface Reading {
  /** Only to look: the commits of requests, too, are those that the index names. */
  readonly indexed?: boolean;
  /** The repository was refreshed for the same work. */
  readonly refreshed?: boolean;
}

/** Looks at the ledger anew. LEDGER_REWOUND where it was forced back. */
export async function openLedgerSnapshot(
  git: GitRepository,
  ref: string,
  cache: LedgerCache,
  reading: Reading = {},
): Promise<LedgerSnapshot> {
  const { refreshed = false } = reading;
  return snapshotAt({ git, ref, cache }, await git.ledger.tip(ref, { refreshed }), reading);
}

/** Begins to read the commits of the ledger as it was fetched, while others look whether it may be trusted. */
export async function expectLedger(git: GitRepository, ref: string, cache: LedgerCache): Promise<void> {
  const tip = await git.ledger.peek(ref).catch(() => null);
  if (tip !== null) await readLog(git, tip, cache).catch(() => undefined);
}

export async function snapshotAt(
  place: { readonly git: GitRepository; readonly ref: string; readonly cache: LedgerCache },
  tip: ObjectId | null,
  { indexed = false }: Reading = {},
): Promise<LedgerSnapshot> {
  if (tip === null) return EMPTY;
  const { git, cache } = place;
  const { tree } = await git.objects.commit(tip);
  const view = treeView(git.objects, tree);
  const read = async <File extends Filed>(kind: Kind<File>, path: string, blob: ObjectId, keep = true) => {
    const parse = async () => kind.parse(await textOf(git, path, blob), path);
    const file = await (keep ? remember(kind.cache(cache), blob, parse) : parse());
    // A file that someone copied is another one's, however well it is written.
    if (kind.pathOf(file.state.id) !== path) throw tampered(path);
    return file;
  };
  const one = async <File extends Filed>(kind: Kind<File>, id: string) => {
    const path = kind.pathOf(id);
    const entry = await view.entry(path);
    if (entry === null) return null;
    if (entry.mode !== MODE.file) throw tampered(path);
    return read(kind, path, entry.id);
  };
  const filesIn = async (name: string) => {
    const folder = await view.entry(name);
    const found = folder?.mode === MODE.tree ? await walk(git, folder.id, cache) : [];
    return found.map(({ path, blob }) => ({ path: `${name}/${path}`, blob }));
  };
  const sessions = async () => {
    const found = await filesIn(SESSIONS.folder);
    const files = await Promise.all(found.map(({ path, blob }) => read(SESSIONS, path, blob)));
    return files.sort(newestFirst);
  };
  let own: Promise<LedgerLog> | null = null;
  const log = () => (own ??= readLog(git, tip, cache));
  const index = () => readIndex(place, tip, (path, blob) => read(REQUESTS, path, blob));
  const known = async (is: (known: KnownRequest) => boolean) => {
    const lines = (await index())?.lines;
    if (lines !== undefined) return allKnown(lines).filter(is).sort(newestKnownFirst);
    const found = await filesIn(REQUESTS.folder);
    const isLarge = found.length >= INDEX_FROM;
    const all: KnownRequest[] = [];
    for (let at = 0; at < found.length; at += TOGETHER) {
      const some = found.slice(at, at + TOGETHER);
      const files = some.map(({ path, blob }) => read(REQUESTS, path, blob, !isLarge));
      all.push(...(await Promise.all(files)).map(knownOf));
    }
    if (isLarge) await writeIndex(place, all, await log());
    return all.filter(is).sort(newestKnownFirst);
  };
  return {
    tip,
    known,
    request: (id) => one(REQUESTS, id),
    find: async (is, page = {}) => {
      // What a page ended with may be none of them any more when the next one is asked for: its place counts.
      const isPlace = (each: KnownRequest) => each.id === page.after && (page.mayRead?.(each) ?? true);
      const chosen = pageOf(await known((each) => isPlace(each) || is(each)), page);
      const files: RequestFile[] = [];
      for (let at = 0; at < chosen.length; at += TOGETHER) {
        const some = await Promise.all(chosen.slice(at, at + TOGETHER).map(({ id }) => one(REQUESTS, id)));
        // The index only says where to look.
        files.push(...some.filter((file) => file !== null).filter((file) => is(knownOf(file))));
      }
      return files;
    },
    containing: async (text) => {
      const found = await filesIn(REQUESTS.folder);
      const passes = (bytes: Uint8Array) => !Buffer.from(bytes).includes(text);
      const rules = `ledger without ${text}`;
      const without = await git.objects.passing?.(
        found.map(({ blob }) => blob),
        { rules, passes },
      );
      const rest = found.filter(({ blob }) => without?.has(blob) !== true);
      const files: RequestFile[] = [];
      for (let at = 0; at < rest.length; at += TOGETHER) {
        const some = rest.slice(at, at + TOGETHER).map(({ path, blob }) => read(REQUESTS, path, blob, false));
        files.push(...(await Promise.all(some)));
      }
      return files;
    },
    session: (id) => one(SESSIONS, id),
    sessions,
    commits: async () => (await log()).commits,
    versions: async (path) => {
      const line = indexed ? (await index())?.lines.get(path) : undefined;
      return line === undefined ? ((await log()).versions.get(path) ?? []) : versionsIn(line);
    },
  };
}

const parsed = new WeakMap<ReadonlyMap<string, string>, readonly KnownRequest[] | null>();

/** Whoever asks twice about the same lines, as for each of many openings, finds them parsed. */
function allKnown(lines: ReadonlyMap<string, string>): readonly KnownRequest[] {
  const before = parsed.get(lines);
  if (before) return before;
  const all = [...lines.values()].map(knownIn);
  parsed.set(lines, before === undefined ? null : all);
  return all;
}

const nothing = () => Promise.resolve([]);
const none = () => Promise.resolve(null);
const EMPTY: LedgerSnapshot = {
  tip: null,
  request: none,
  known: nothing,
  find: nothing,
  containing: nothing,
  session: none,
  sessions: nothing,
  commits: nothing,
  versions: nothing,
};

interface Filed {
  readonly state: { readonly id: string };
  readonly events: readonly { readonly id: EventId; readonly at: string }[];
}

export interface Kind<File> {
  readonly folder: string;
  readonly pathOf: (id: string) => string;
  readonly parse: (text: string, path: string) => File;
  readonly cache: (cache: LedgerCache) => Map<ObjectId, Promise<File>>;
}

export const REQUESTS: Kind<RequestFile> = {
  folder: 'requests',
  pathOf: requestPath,
  cache: ({ requests }) => requests,
  parse: (text, path) => {
    const events = readRequestEvents(text, path);
    return { state: foldRequest(events), events };
  },
};

export const SESSIONS: Kind<SessionFile> = {
  folder: 'sessions',
  pathOf: sessionPath,
  cache: ({ sessions }) => sessions,
  parse: (text, path) => {
    const events = readSessionEvents(text, path);
    return { state: foldSession(events), events };
  },
};

/** Ids that were derived say nothing of the time. */
function newestFirst(one: Filed, other: Filed): number {
  const [a, b] = [one, other].map(({ state, events }) => `${events[0]?.at ?? ''} ${state.id}`);
  return (a ?? '') < (b ?? '') ? 1 : -1;
}

export async function textOf(git: RepositoryReader, path: string, blob: ObjectId): Promise<string> {
  const text = decode(await git.objects.blob(blob));
  if (text === null) throw tampered(path);
  return text;
}

/** Every file below a folder. */
function walk(
  git: RepositoryReader,
  tree: ObjectId,
  cache: LedgerCache,
  depth = 0,
): Promise<readonly Found[]> {
  return remember(cache.folders, tree, async () => {
    // Months, then two characters of the id, then files.
    if (depth > 2) throw tampered('requests');
    const entries = await git.objects.tree(tree);
    let count = 0;
    const lists = await Promise.all(
      entries.map(async ({ name, mode, id }): Promise<readonly Found[]> => {
        if (mode === MODE.file) return [{ path: name, blob: id }];
        if (mode !== MODE.tree) throw tampered(name);
        const below = await walk(git, id, cache, depth + 1);
        count += below.length;
        if (count > FILES) throw tampered('requests', 'is one of more than there can be');
        return below.map(({ path, blob }) => ({ path: `${name}/${path}`, blob }));
      }),
    );
    return lists.flat();
  });
}

/** Files of a ledger: ten years of three hundred requests a day. */
const FILES = 1_000_000;

/** One `git log` for all of it, and then only what came since; shared by all who ask while it runs. */
function readLog(git: RepositoryReader, tip: ObjectId, cache: LedgerCache): Promise<LedgerLog> {
  const before = cache.log;
  if (before?.tip === tip) return before.reading;
  const reading = continueLog(git, tip, before?.reading ?? null);
  const log = { tip, reading };
  cache.log = log;
  reading.catch(() => {
    if (cache.log === log) cache.log = null;
  });
  return reading;
}

async function continueLog(
  git: RepositoryReader,
  tip: ObjectId,
  reading: Promise<LedgerLog> | null,
): Promise<LedgerLog> {
  const before = await (reading?.catch(() => null) ?? null);
  const onward = before !== null && (await git.isAncestor(before.tip, tip)) ? before : null;
  const commits = [...(onward?.commits ?? [])];
  const versions = new Map(onward?.versions);
  for (const commit of await readCommits(git, { tip, after: onward?.tip, latest: latestOf(commits) })) {
    commits.push(commit);
    for (const [path, version] of versionsOf(commit))
      versions.set(path, [...(versions.get(path) ?? []), version]);
  }
  return { tip, commits, versions };
}

/** Files that are read side by side. */
const TOGETHER = 200;
/** @throws REQUEST_UNKNOWN */
function pageOf(found: readonly KnownRequest[], { limit, after }: Page): readonly KnownRequest[] {
  const start = after === undefined ? 0 : found.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0)
    throw new BacktrailError('REQUEST_UNKNOWN', `There is no request ${after}.`);
  return found.slice(start, limit === undefined ? undefined : start + limit);
}

function remember<Key, Value>(
  cache: Map<Key, Promise<Value>>,
  key: Key,
  make: () => Promise<Value>,
): Promise<Value> {
  const known = cache.get(key);
  if (known !== undefined) return known;
  if (cache.size >= CACHED) cache.clear();
  const made = make();
  cache.set(key, made);
  made.catch(() => cache.delete(key));
  return made;
}

export function tampered(path: string, what = 'is not as Backtrail writes it'): BacktrailError {
  return new BacktrailError('LEDGER_TAMPERED', `The ledger's file ${path} ${what}.`, { details: { path } });
}
