/** The commits of a ledger, as git has them, and what each says of its events. */
import {
  BacktrailError,
  type CommitObject,
  type EventId,
  isRequestId,
  isSessionId,
  type LogCommit,
  MODE,
  type ObjectId,
  type RepositoryReader,
  type RequestId,
} from '../../model/index.ts';
import { requestPath, sessionPath } from '../../record/ledger-file.ts';
import { readBatch, readEvent, readForm } from '../../record/ledger-message.ts';

export interface LedgerCommit {
  readonly id: ObjectId;
  readonly parents: readonly ObjectId[];
  readonly author: { readonly name: string; readonly email: string };
  /** Milliseconds since 1970, as its committer claims. */
  readonly time: number;
  /** The latest time that any commit before it claims. */
  readonly before: number;
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

export const latestOf = (commits: readonly LedgerCommit[]) => {
  const last = commits.at(-1);
  return last === undefined ? 0 : Math.max(last.before, last.time);
};

/** Commits that git gives at once: the text of all of a large ledger would take all memory. */
const SLICE = 2000;

/** Those of the line up to `tip`, oldest first, after one of them; `latest`: the latest time up to there. LEDGER_TAMPERED. */
export async function readCommits(
  git: RepositoryReader,
  {
    tip,
    after,
    latest,
    limit = Infinity,
  }: {
    readonly tip: ObjectId;
    readonly after?: ObjectId | undefined;
    readonly latest: number;
    /** The newest ones. */
    readonly limit?: number;
  },
): Promise<LedgerCommit[]> {
  const few = after === undefined ? null : await fewSince(git, tip, after);
  const newestFirst = (few ?? []).map(commitOf);
  for (
    let from: ObjectId | undefined = few === null ? tip : undefined;
    from !== undefined && from !== after;
  ) {
    const ask = { tip: from, path: '', limit: Math.min(SLICE, limit) };
    const log: readonly LogCommit[] = await git.history.log({
      ...ask,
      ...(after !== undefined && { after }),
    });
    for (const commit of log) newestFirst.push(commitOf(commit));
    from = log.length < SLICE || newestFirst.length >= limit ? undefined : log.at(-1)?.parents[0];
  }
  let before = latest;
  return newestFirst.reverse().map((commit) => {
    const made = { ...commit, before };
    before = Math.max(before, commit.time);
    return made;
  });
}

/** Commits that a ledger may have gained, for each to be inspected. */
const FEW = 16;

/** Newest first; null where they are more. */
async function fewSince(
  git: RepositoryReader,
  tip: ObjectId,
  after: ObjectId,
): Promise<readonly LogCommit[] | null> {
  const ids: ObjectId[] = [];
  for (let at: ObjectId | undefined = tip; at !== after; ) {
    if (at === undefined || ids.length === FEW) return null;
    ids.push(at);
    const commit: CommitObject = await git.objects.commit(at);
    at = commit.parents[0];
  }
  return ids.length === 0 ? [] : git.inspect(ids);
}

function commitOf(commit: LogCommit): Omit<LedgerCommit, 'before'> {
  const { id, parents, author, time, subject, trailers, changes } = commit;
  if (parents.length > 1) throw merged(id);
  const form = readForm(trailers);
  const record = form === 1 ? readEvent(trailers) : null;
  const files = changes.map(({ path, after }) => ({
    path,
    blob: after?.mode === MODE.file ? after.id : null,
  }));
  const batch = form === 2 ? batchOf(trailers, files) : null;
  return { id, parents, author, time: Date.parse(time), subject, files, form, record, batch };
}

/** What a commit made of each of its files. */
export function* versionsOf(commit: LedgerCommit): Generator<[path: string, version: Version]> {
  const { record, batch, files } = commit;
  const added = new Map(batch?.items.map((item) => [pathNamed(item.of), item]));
  for (const { path, blob } of files)
    yield [path, { commit, added: record ?? added.get(path) ?? null, blob }];
}

/** The request that a commit adds an event of this id to, as the commit says; null where none does. */
export function requestOfEvent(commits: readonly LedgerCommit[], id: EventId): RequestId | null {
  for (const commit of commits)
    for (const [path, { added }] of versionsOf(commit)) {
      const name = /([^/]+)\.json$/.exec(path)?.[1] ?? '';
      if (added?.id === id && isRequestId(name)) return name;
    }
  return null;
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
