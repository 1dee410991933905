/** The newest commits of a line, as far down as was asked: many scopes ask, one after the other, what came since they were looked at. */
import type { LogCommit, ObjectId } from '../../model/index.ts';

/** So many scopes are asked for one by one: a few are answered from filters before all that others changed is read. */
const ONE_BY_ONE = 4;
/** Changes. What nobody asks for any more is not held without a bound. */
const MOST_HELD = 20_000;
/** Commits that are not on the line, or too far down it. */
const MOST_REFUSED = 1000;

export interface Recent {
  /** The commits of the line of `tip` before `after` that changed something at or below the path, newest first; null where git is to be asked. */
  since(query: Query): Promise<readonly LogCommit[] | null>;
}

interface Query {
  readonly tip: ObjectId;
  readonly after: ObjectId;
  readonly path: string;
}

interface Stretch {
  /** Newest first, without a gap. */
  readonly commits: readonly LogCommit[];
  /** The first parent of the last one. */
  readonly end: ObjectId;
}

/** `read`: all commits of the line of `tip` that are not reachable from `after`, with all that they changed; null where that is too much. */
export function createRecent(
  read: (tip: ObjectId, after: ObjectId) => Promise<readonly LogCommit[] | null>,
): Recent {
  let asked = 0;
  let known: Stretch | null = null;
  let busy: Promise<unknown> = Promise.resolve();
  const refused = new Set<ObjectId>();

  const readStretch = async (tip: ObjectId, end: ObjectId): Promise<Stretch | null> => {
    const commits = await read(tip, end);
    return commits?.at(-1)?.parents[0] === end ? { commits, end } : null;
  };
  /** What is known, up to `tip`; null where that is elsewhere. */
  const upTo = async (tip: ObjectId): Promise<Stretch | null> => {
    const newest = known?.commits[0];
    if (known === null || newest === undefined || placeIn(known, tip) >= 0) return known;
    const newer = await readStretch(tip, newest.id);
    return newer && joined(newer, known);
  };
  const reaching = async ({ tip, after }: Query): Promise<Stretch | null> => {
    known = await upTo(tip);
    if (known === null) return readStretch(tip, after);
    if (after === known.end || placeIn(known, after) >= 0) return known;
    const older = await readStretch(known.end, after);
    return older && joined(known, older);
  };
  return {
    async since(query) {
      const { tip, after, path } = query;
      asked += 1;
      if (asked <= ONE_BY_ONE || tip === after || refused.has(after)) return null;
      // One after the other: the second finds what the first has read.
      const turn = busy.catch(() => undefined).then(() => reaching(query));
      busy = turn;
      const found = await turn;
      if (found === null) {
        if (refused.size >= MOST_REFUSED) refused.clear();
        refused.add(after);
        return null;
      }
      known = changesIn(found) > MOST_HELD ? null : found;
      const end = after === found.end ? undefined : placeIn(found, after);
      return found.commits.slice(placeIn(found, tip), end).flatMap((commit) => below(path, commit));
    },
  };
}

const placeIn = ({ commits }: Stretch, commit: ObjectId) => commits.findIndex(({ id }) => id === commit);

const joined = (newer: Stretch, older: Stretch): Stretch => ({
  commits: [...newer.commits, ...older.commits],
  end: older.end,
});

const changesIn = ({ commits }: Stretch) => commits.reduce((sum, { changes }) => sum + changes.length, 0);

/** The commit with its changes at or below the path, if it has any. Of the whole tree, every commit. */
export function below(path: string, commit: LogCommit): LogCommit[] {
  if (path === '') return [commit];
  const changes = commit.changes.filter((change) => `${change.path}/`.startsWith(`${path}/`));
  return changes.length === 0 ? [] : [{ ...commit, changes }];
}
