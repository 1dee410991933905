/** The ledger at one of its commits. What was read is remembered by object id: objects never change. */
import {
  BacktrailError,
  type EnvironmentName,
  type EventId,
  isRequestId,
  isSessionId,
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
import { readBatch, readEvent, readForm } from '../../record/ledger-message.ts';
import { foldSession } from '../../policy/session.ts';
import { foldRequest } from '../../record/transitions.ts';

export interface LedgerSnapshot {
  readonly tip: ObjectId | null;
  request(id: RequestId): Promise<RequestFile | null>;
  /** Newest first. */
  requests(): Promise<readonly RequestFile[]>;
  session(id: SessionId): Promise<SessionFile | null>;
  sessions(): Promise<readonly SessionFile[]>;
  /** Every commit of the ledger, oldest first. */
  commits(): Promise<readonly LedgerCommit[]>;
  /** Those that wrote a file, oldest first. */
  versions(path: string): Promise<readonly Version[]>;
}

export interface LedgerCommit {
  readonly id: ObjectId;
  readonly parents: readonly ObjectId[];
  readonly author: { readonly name: string; readonly email: string };
  /** Milliseconds since 1970, as its committer claims. */
  readonly time: number;
  /** What it wrote; `blob` null where it removed a file, or made something else of it. */
  readonly files: readonly { readonly path: string; readonly blob: ObjectId | null }[];
  readonly subject: string;
  /** How it holds its events: see `LEDGER_FORM`. */
  readonly form: number;
  /** What its message says of its one event; null where it says none. */
  readonly record: ReturnType<typeof readEvent>;
  /** What its message says of its several events, one for each file; null where it says none, or of other files. */
  readonly batch: ReturnType<typeof readBatch>;
}

export interface Version {
  readonly commit: LedgerCommit;
  /** What the commit says that it adds to this file. */
  readonly added: { readonly event: string; readonly id: EventId } | null;
  /** null: the commit removed it, or made something else of it. */
  readonly blob: ObjectId | null;
}

/** A commit of the branch that says which request it executes. */
export interface PublishedRequest {
  readonly commit: ObjectId;
  readonly deliveryCommit: ObjectId | null;
  readonly target: ObjectId;
  readonly plan: string;
}

/** For as long as a repository is open. */
export interface LedgerCache {
  readonly requests: Map<ObjectId, Promise<RequestFile>>;
  readonly sessions: Map<ObjectId, Promise<SessionFile>>;
  readonly folders: Map<ObjectId, Promise<readonly Found[]>>;
  /** By commit, and the time at which its key was judged. */
  readonly signatures: Map<string, Signature>;
  /** By request, digest and tip of the branch. */
  readonly owners: Map<string, readonly EnvironmentName[]>;
  /** What the branch holds, at a tip of it. */
  published: {
    readonly base: ObjectId;
    readonly requests: ReadonlyMap<RequestId, PublishedRequest>;
  } | null;
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
  log: null,
});

const CACHED = 20_000;

/** Looks at the ledger anew. LEDGER_REWOUND where it was forced back. */
export async function openLedgerSnapshot(
  git: GitRepository,
  ref: string,
  cache: LedgerCache,
): Promise<LedgerSnapshot> {
  return bookAt(git, await git.ledger.tip(ref), cache);
}

export async function bookAt(
  git: RepositoryReader,
  tip: ObjectId | null,
  cache: LedgerCache,
): Promise<LedgerSnapshot> {
  if (tip === null) return EMPTY;
  const { tree } = await git.objects.commit(tip);
  const view = treeView(git.objects, tree);
  const read = async <File extends Filed>(kind: Kind<File>, path: string, blob: ObjectId) => {
    const file = await remember(kind.cache(cache), blob, async () =>
      kind.parse(await textOf(git, path, blob), path),
    );
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
  const all = async <File extends Filed>(kind: Kind<File>) => {
    const folder = await view.entry(kind.folder);
    const found = folder?.mode === MODE.tree ? await walk(git, folder.id, cache) : [];
    const files = await Promise.all(
      found.map(({ path, blob }) => read(kind, `${kind.folder}/${path}`, blob)),
    );
    return files.sort(newestFirst);
  };
  let own: Promise<LedgerLog> | null = null;
  const log = () => (own ??= readLog(git, tip, cache));
  return {
    tip,
    request: (id) => one(REQUESTS, id),
    requests: () => all(REQUESTS),
    session: (id) => one(SESSIONS, id),
    sessions: () => all(SESSIONS),
    commits: async () => (await log()).commits,
    versions: async (path) => (await log()).versions.get(path) ?? [],
  };
}

const nothing = () => Promise.resolve([]);
const none = () => Promise.resolve(null);
const EMPTY: LedgerSnapshot = {
  tip: null,
  request: none,
  requests: nothing,
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
  const fresh = await git.history.log({ tip, path: '', ...(onward && { after: onward.tip }) });
  const commits = [...(onward?.commits ?? [])];
  const versions = new Map(onward?.versions);
  for (const { id, parents, author, time, subject, trailers, changes } of fresh.toReversed()) {
    if (parents.length > 1) throw merged(id);
    const form = readForm(trailers);
    const record = form === 1 ? readEvent(trailers) : null;
    const files = changes.map(({ path, after }) => ({
      path,
      blob: after?.mode === MODE.file ? after.id : null,
    }));
    const batch = form === 2 ? batchOf(trailers, files) : null;
    const made = { id, parents, author, time: Date.parse(time), subject };
    const commit: LedgerCommit = { ...made, files, form, record, batch };
    commits.push(commit);
    const added = new Map(batch?.items.map((item) => [pathNamed(item.of), item]));
    for (const { path, blob } of files) {
      const version: Version = { commit, added: record ?? added.get(path) ?? null, blob };
      versions.set(path, [...(versions.get(path) ?? []), version]);
    }
  }
  return { tip, commits, versions };
}

/** A batch says of every file of its commit, and of no other, what it adds. */
function batchOf(trailers: readonly string[], files: LedgerCommit['files']): LedgerCommit['batch'] {
  const batch = readBatch(trailers);
  const named = new Set(batch?.items.map(({ of }) => pathNamed(of)));
  const agrees = named.size === batch?.items.length && named.size === files.length;
  return agrees && files.every(({ path }) => named.has(path)) ? batch : null;
}

const pathNamed = (id: string) =>
  isSessionId(id) ? sessionPath(id) : isRequestId(id) ? requestPath(id) : '';

/** It could leave out what came on one of its sides, and still follow what was seen last. */
const merged = (id: ObjectId) =>
  new BacktrailError(
    'LEDGER_TAMPERED',
    `The ledger holds a merge, ${id.slice(0, 10)}: Backtrail writes none.`,
  );

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
