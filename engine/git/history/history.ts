import {
  BacktrailError,
  type CommitObject,
  type HistoryReader,
  inOrder,
  isFailure,
  type LogCommit,
  type ObjectFormat,
  type ObjectId,
  type PathChange,
} from '../../model/index.ts';
import { createCommitReader } from '../process/commit-reader.ts';
import { readChanges, tokens } from '../process/raw-output.ts';
import { certain } from '../process/certain.ts';
import type { Runner } from '../process/runner.ts';
import { SMALL_WINDOWS } from '../process/small-windows.ts';
import { createCache } from '../store/cache.ts';
import { beyondCut, findCommit } from './find-commit.ts';
import { createLineCache, type IndexPlace } from './line-cache.ts';
import { CHANGES, LOG, readLog, SHOW } from './log.ts';
import { below, createRecent } from './recent.ts';
import { requireObjectId } from '../store/object-id.ts';
import type { NativeObjects } from '../store/objects.ts';
import { NEAR, nearLine, readNamed } from '../store/refs.ts';

/** A cheap filter by text; the parsed trailers decide. */
const RECORDED = [
  '--no-patch',
  '-i',
  '--grep=^Rollback-Request-ID:',
  '--grep=^Resume-Request-ID:',
  '--grep=^Delivery-Of:',
];
/** Does the record in these trailers claim a rollback, a resume or a delivery? */
export const isRecord = (trailers: readonly string[]) =>
  trailers.some((line) => /^(rollback-request-id|resume-request-id|delivery-of):/i.test(line));

const RENAMES = [
  'diff-tree',
  '-r',
  '--raw',
  '-z',
  '-M80%',
  '-l1000',
  '--diff-filter=R',
  '--ignore-submodules=none',
  '-O/dev/null',
];
const PATHS = ['diff-tree', '-r', '--raw', '-z', '--no-renames', '--ignore-submodules=none', '-O/dev/null'];

/**
 * Bloom filters answer for a single literal path in less time than the index of a line is read. More paths, a path that most of the line
 * has changed, and one scope after the other are answered by the index.
 */
const WALKED_PATHS = 8;
const WALKED_BYTES = 512 * 1024;
const WALKS = 20;

/** Of all that came since a commit. */
const RECENT_BYTES = 8 * 1024 * 1024;

const nullBeyond = (limit: number) => (error: unknown) => {
  if (isFailure(error) && error.details['limit'] === limit) return null;
  throw error;
};

type LogQuery = Parameters<HistoryReader['log']>[0];

/** Commits that are inspected by a process that stays; more are read by one that gives back its memory. */
const INSPECTED = 200;
const LOG_LIMIT = 1024 * 1024 * 1024;
const LOG_CACHE = 8 * 1024 * 1024;
const LINE_CACHE = 64 * 1024 * 1024;

export interface NativeHistory extends HistoryReader {
  /** Every path that differs between two commits or trees. */
  diffPaths(from: ObjectId, to: ObjectId): Promise<readonly PathChange[]>;
  /** Commits as git itself reads them back, with every path that they change against their first parent. */
  inspect(ids: readonly ObjectId[]): Promise<readonly LogCommit[]>;
}

export function createHistory(context: {
  readonly runner: Runner;
  readonly objects: NativeObjects;
  readonly shallow: boolean;
  readonly format: ObjectFormat;
  /** The prefix of branches: `refs/heads`, or a mirror's tracking refs. */
  readonly branches: string;
  readonly index: IndexPlace;
}): NativeHistory {
  const { runner, objects, shallow, format, branches } = context;
  const lines = createCache<readonly ObjectId[]>(LINE_CACHE);
  const logs = createCache<readonly LogCommit[]>(LOG_CACHE);
  const readHere = async ({ tip, path, after, limit }: LogQuery, maxBytes: number) => {
    const range = [requireObjectId(tip), ...(after === undefined ? [] : [`^${requireObjectId(after)}`])];
    const queried = queryable(path);
    const pathspec = queried === '' ? [] : [queried];
    const most = limit === undefined || queried !== path ? [] : [`--max-count=${limit}`];
    // A path is found by its Bloom filters: little else is read.
    const memory = queried === '' ? [] : SMALL_WINDOWS;
    const args = [...memory, ...LOG, ...CHANGES, ...most, ...range, '--', ...pathspec];
    const { stdout } = await runner.run(args, {
      maxBytes,
    });
    const read = readLog(tokens(stdout));
    const commits = queried === path ? read : read.flatMap((commit) => below(path, commit)).slice(0, limit);
    const value = shallow ? await withoutCut(objects, commits) : commits;
    return { value, size: 500 + 4 * stdout.length };
  };
  const recent = createRecent(async (tip, after) => {
    const read = readHere({ tip, path: '', after }, RECENT_BYTES);
    return (await read.catch(nullBeyond(RECENT_BYTES)))?.value ?? null;
  });
  /** What is below a commit does not change, but for what a shallow clone has of it. */
  const log = async (query: LogQuery, maxBytes = LOG_LIMIT) => {
    if (shallow) return (await readHere(query, maxBytes)).value;
    const { tip, path, after, limit } = query;
    const since =
      after !== undefined && limit === undefined ? await recent.since({ tip, path, after }) : null;
    if (since !== null) return since;
    return logs.get([tip, after, limit, maxBytes, path].join(), () => readHere(query, maxBytes));
  };
  let newest: readonly ObjectId[] = [];
  const firstParents = async (tip: ObjectId) =>
    lines.get(requireObjectId(tip), async () => {
      // One that goes on from another has its ids in common with it: each tip of a long line would hold thousands of its own.
      const value =
        (shallow ? null : await continued({ objects, tip, line: newest })) ??
        index.line(tip) ??
        (shallow ? null : await wholeIfNear(objects, tip)) ??
        (await runner.text(['rev-list', '--first-parent', tip])).split('\n');
      newest = value;
      return { value, size: 64 * value.length };
    });
  const width = format === 'sha1' ? 20 : 32;
  const index = createLineCache({ ...context.index, runner, width, firstParents });
  const readCommits = createCommitReader(runner, SHOW);
  const show = async (ids: readonly ObjectId[]) => {
    const output = await readCommits(ids.map(requireObjectId)).catch(() => null);
    return output === null ? [] : readLog(tokens(output));
  };
  let walks = 0;
  const isIn = createLookup();
  // Rollbacks and resumes are asked for one after the other.
  let recorded: { readonly tip: ObjectId; readonly commits: Promise<readonly LogCommit[]> } | null = null;
  return {
    shallow,
    log: (query) => log(query),
    async changed({ tip, paths }) {
      const walk = (maxBytes?: number) =>
        Promise.all(paths.map(async (path) => log({ tip, path }, maxBytes))).then((logs) =>
          inOrder(logs, () => firstParents(tip)),
        );
      if (shallow) return walk();
      walks += 1;
      const few = !index.isKnown() && walks <= WALKS && paths.length <= WALKED_PATHS && !paths.includes('');
      const walked = few ? await walk(WALKED_BYTES).catch(nullBeyond(WALKED_BYTES)) : null;
      return walked ?? index.changed(tip, paths);
    },
    async expectMany(tip) {
      if (!shallow) await index.changed(requireObjectId(tip), []);
    },
    recorded(tip) {
      if (recorded?.tip !== requireObjectId(tip)) {
        const read = async () => {
          const { stdout } = await runner.run([...SMALL_WINDOWS, ...LOG, ...RECORDED, tip], {
            maxBytes: LOG_LIMIT,
          });
          return readLog(tokens(stdout)).filter(({ trailers }) => isRecord(trailers));
        };
        const commits = read();
        recorded = { tip, commits };
        commits.catch(() => (recorded = null));
      }
      return recorded.commits;
    },
    async inspect(ids) {
      const known = shallow || ids.length > INSPECTED ? [] : await show(ids);
      // What is missing is said as git says it.
      if (known.length === ids.length) return known;
      const input = `${ids.map(requireObjectId).join('\n')}\n`;
      const args = [...SMALL_WINDOWS, ...LOG, ...CHANGES, '--no-walk=unsorted', '--stdin'];
      const { stdout } = await runner.run(args, { input });
      return readLog(tokens(stdout));
    },
    firstParents,
    async isOnLine(tip, commit) {
      if (requireObjectId(tip) === requireObjectId(commit)) return true;
      const line = lines.known(tip);
      if (line !== undefined) return isIn(line, commit);
      const near = shallow ? null : await nearLine(objects, tip, commit);
      if (near?.isWhole) return near.line.at(-1) === commit;
      // The part of the line that is not reachable from the commit: if the commit is on the line, it is the next parent.
      const args = ['rev-list', '--first-parent', '--parents', tip, `^${commit}`];
      return certain(runner, args.join(' '), async () => {
        const last = (await runner.text(args)).split('\n').at(-1) ?? '';
        return last.split(' ')[1] === commit;
      });
    },
    async firstParentBefore(tip, time) {
      const seconds = secondsOf(time);
      const args = [
        'rev-list',
        '--first-parent',
        '--max-count=1',
        `--min-age=${seconds}`,
        requireObjectId(tip),
      ];
      const found = seconds < 0 ? '' : await runner.text(args);
      if (found === '' && shallow) throw beyondCut(`A commit before ${time}`);
      return found || null;
    },
    async findCommit(abbreviated) {
      const found = await findCommit({ runner, objects, format, abbreviated });
      if (found === null && shallow) throw beyondCut(`The commit ${abbreviated.toLowerCase()}`);
      return found;
    },
    named: (name) => readNamed(runner, name, branches),
    async renames(from, to) {
      const { stdout } = await runner.run([...RENAMES, requireObjectId(from), requireObjectId(to)]);
      const changes = readChanges(tokens(stdout));
      return new Map(changes.map(({ path, from: old }) => [path, old ?? path]));
    },
    async diffPaths(from, to) {
      const { stdout } = await runner.run([...PATHS, requireObjectId(from), requireObjectId(to)]);
      return readChanges(tokens(stdout));
    },
  };
}

/** Lookups in one line that cost less than a set of its commits. */
const LOOKUPS = 16;

/** Whether a line has a commit; many lookups in one line share a set. */
function createLookup(): (line: readonly ObjectId[], commit: ObjectId) => boolean {
  let latest: { readonly line: readonly ObjectId[]; lookups: number; set: Set<ObjectId> | null } | null =
    null;
  return (line, commit) => {
    if (latest?.line !== line) latest = { line, lookups: 0, set: null };
    latest.lookups += 1;
    if (latest.lookups > LOOKUPS) latest.set ??= new Set(line);
    return latest.set?.has(commit) ?? line.includes(commit);
  };
}

async function wholeIfNear(objects: NativeObjects, tip: ObjectId): Promise<readonly ObjectId[] | null> {
  const { line, isWhole } = await nearLine(objects, tip);
  return isWhole ? line : null;
}

/** The line of a tip that is a little further than one whose line is known; null where it is not. */
async function continued({
  objects,
  tip,
  line,
}: {
  readonly objects: NativeObjects;
  readonly tip: ObjectId;
  readonly line: readonly ObjectId[];
}): Promise<readonly ObjectId[] | null> {
  const gained: ObjectId[] = [];
  for (let at: ObjectId | undefined = tip; at !== line[0]; ) {
    if (at === undefined || gained.length === NEAR || line.length === 0) return null;
    gained.push(at);
    const commit: CommitObject | null = await objects.commit(at).catch(() => null);
    at = commit?.parents[0];
  }
  return [...gained, ...line];
}

/** Since 1970, negative before. @throws REVISION_INVALID */
export function secondsOf(time: string): number {
  const seconds = Math.floor(Date.parse(time) / 1000);
  if (!Number.isNaN(seconds)) return seconds;
  throw new BacktrailError('REVISION_INVALID', `'${time}' is not a valid time.`);
}

/** Arguments are UTF-8: for a path that is not, the folder above it is queried. */
function queryable(path: string): string {
  const names = path.split('/');
  const odd = names.findIndex((name) => /\p{Cs}/u.test(name));
  return odd < 0 ? path : names.slice(0, odd).join('/');
}

/** git shows a commit at the cut of a shallow clone as a root commit, which adds every file. */
async function withoutCut(
  objects: NativeObjects,
  commits: readonly LogCommit[],
): Promise<readonly LogCommit[]> {
  const isCut = async ({ id, parents }: LogCommit) =>
    parents.length === 0 && (await objects.commit(id)).parents.length > 0;
  const cut = await Promise.all(commits.map(isCut));
  return commits.filter((_, index) => cut[index] !== true);
}
