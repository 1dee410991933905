import {
  type HistoryReader,
  inOrder,
  type LogCommit,
  type ObjectId,
  type PathChange,
  type RepositoryReader,
} from '../../model/index.ts';
import { createCache } from '../store/cache.ts';
import { beyondCut, parseAbbreviation, soleCommit } from '../history/find-commit.ts';
import { isRecord, secondsOf } from '../history/history.ts';
import { isoTime, revertsIn } from '../history/log.ts';
import { requireObjectId } from '../store/object-id.ts';
import { parseCommit } from '../store/objects.ts';
import { executesRequest } from '../store/messages.ts';
import { compareEntries, entryAt } from './changes.ts';
import { readCommitText, readTrailers } from './message.ts';
import type { IsomorphicObjects } from './objects.ts';

const COMMIT_CACHE = 16 * 1024 * 1024;

interface Commit extends Omit<LogCommit, 'changes'> {
  readonly tree: ObjectId;
  readonly date: number;
  /** The message claims a rollback or a delivery. */
  readonly recorded: boolean;
  /** Its parents were never fetched. */
  readonly cut: boolean;
}

export type IsomorphicHistory = HistoryReader &
  Pick<RepositoryReader, 'messages' | 'findRequest' | 'isAncestor' | 'diffPaths' | 'inspect'>;

/**
 * The same history as the native reader's, walked commit by commit: for small repositories. `cut`: the commits at the
 * edge of a shallow clone. Renames are found only where the content is the same.
 */
export function createIsomorphicHistory(
  objects: IsomorphicObjects,
  cut: ReadonlySet<ObjectId>,
  named: HistoryReader['named'],
): IsomorphicHistory {
  const shallow = cut.size > 0;
  const commits = createCache<Commit>(COMMIT_CACHE);
  const readTree = (id: ObjectId) => objects.bytes(id, 'tree');
  const commit = (id: ObjectId) =>
    commits.get(requireObjectId(id), async () => {
      const bytes = await objects.bytes(id, 'commit');
      return { value: parse(id, bytes, cut.has(id)), size: 1000 + bytes.length };
    });
  async function* line(tip: ObjectId): AsyncGenerator<Commit> {
    for (let id: ObjectId | undefined = tip; id !== undefined; ) {
      const next: Commit = await commit(id);
      yield next;
      [id] = next.parents;
    }
  }
  /** Everything that `after` descends from is left out with it, on whatever line. */
  const ancestors = async (after: ObjectId | undefined) => {
    const found = new Set<ObjectId>();
    const rest = after === undefined ? [] : [requireObjectId(after)];
    for (let id = rest.pop(); id !== undefined; id = rest.pop()) {
      if (found.has(id)) continue;
      found.add(id);
      rest.push(...(await commit(id)).parents);
    }
    return found;
  };
  const changed = async (path: string, { tree }: Commit, parent: Commit | undefined) => {
    if (tree === parent?.tree) return [];
    const before = parent === undefined ? null : await entryAt(readTree, parent.tree, path);
    return compareEntries(readTree, path, [before, await entryAt(readTree, tree, path)]);
  };
  const changesOf = async (next: Commit) => {
    const [parent] = next.parents;
    return changed('', next, parent === undefined ? undefined : await commit(parent));
  };
  const diffPaths = async (from: ObjectId, to: ObjectId) => changed('', await commit(to), await commit(from));
  const log: HistoryReader['log'] = async ({ tip, path, after, limit = Infinity }) => {
    const left = await ancestors(after);
    const found: LogCommit[] = [];
    for await (const next of line(tip)) {
      if (left.has(next.id) || found.length >= limit) break;
      if (next.cut) continue;
      const [parent] = next.parents;
      const changes = await changed(path, next, parent === undefined ? undefined : await commit(parent));
      if (path === '' || changes.length > 0) found.push(logged(next, changes));
    }
    return found;
  };
  const firstParents = async (tip: ObjectId) => {
    const ids: ObjectId[] = [];
    for await (const { id } of line(tip)) ids.push(id);
    return ids;
  };
  return {
    shallow,
    log,
    changed: async ({ tip, paths }) =>
      inOrder(await Promise.all(paths.map((path) => log({ tip, path }))), () => firstParents(tip)),
    async recorded(tip) {
      const found: LogCommit[] = [];
      for await (const next of line(tip)) if (next.recorded) found.push(logged(next, []));
      return found;
    },
    firstParents,
    async isOnLine(tip, searched) {
      for await (const { id } of line(tip)) if (id === requireObjectId(searched)) return true;
      return false;
    },
    async firstParentBefore(tip, time) {
      const seconds = secondsOf(time);
      if (seconds >= 0) for await (const { id, date } of line(tip)) if (date <= seconds) return id;
      if (shallow) throw beyondCut(`A commit before ${time}`);
      return null;
    },
    async findCommit(abbreviated) {
      const prefix = parseAbbreviation(abbreviated, 40);
      const candidates = prefix.length === 40 ? [prefix] : await objects.beginning(prefix);
      const found = await soleCommit(prefix, candidates, objects);
      if (found === null && shallow) throw beyondCut(`The commit ${prefix}`);
      return found;
    },
    named,
    renames: async (from, to) => exactRenames(await diffPaths(from, to)),
    diffPaths,
    isAncestor: async (ancestor, of) => (await ancestors(of)).has(requireObjectId(ancestor)),
    async inspect(ids) {
      const found: LogCommit[] = [];
      for (const id of ids) {
        const next = await commit(id);
        found.push(logged(next, await changesOf(next)));
      }
      return found;
    },
    async messages(ids) {
      const found = await Promise.all(ids.map(commit));
      return new Map(found.map(({ id, trailers }) => [id, { trailers }]));
    },
    async findRequest({ tip, base, requestId }) {
      let oldest: ObjectId | null = null;
      for await (const { id, trailers } of line(tip)) {
        if (id === base) break;
        if (executesRequest(trailers, requestId)) oldest = id;
      }
      return oldest;
    },
  };
}

function parse(id: ObjectId, bytes: Buffer, cut: boolean): Commit {
  const { tree, parents } = parseCommit(id, bytes);
  const { author, seconds, date, subject, message } = readCommitText(bytes);
  const trailers = readTrailers(message);
  return {
    id,
    parents: cut ? [] : parents,
    author,
    time: isoTime(seconds),
    subject,
    trailers,
    reverts: revertsIn(message),
    tree,
    date,
    // As the native reader narrows by text first: with a blank before the colon it is no record.
    recorded: /^(?:rollback-request-id|resume-request-id|delivery-of):/im.test(message) && isRecord(trailers),
    cut: cut && parents.length > 0,
  };
}

function logged(
  { id, parents, author, time, subject, trailers, reverts }: Commit,
  changes: readonly PathChange[],
): LogCommit {
  return { id, parents, author, time, subject, trailers, reverts, changes };
}

/** Of two old paths with the content, the one of the same name counts first, as git has it. */
function exactRenames(changes: readonly PathChange[]): Map<string, string> {
  const removed = new Map<string, string[]>();
  for (const { path, before, after } of changes)
    if (before !== null && after === null)
      removed.set(content(before), [...(removed.get(content(before)) ?? []), path]);
  const renames = new Map<string, string>();
  for (const { path, before, after } of changes) {
    const olds = before === null && after !== null ? removed.get(content(after)) : undefined;
    const old = olds?.find((old) => basename(old) === basename(path)) ?? olds?.[0];
    if (old === undefined) continue;
    olds?.splice(olds.indexOf(old), 1);
    renames.set(path, old);
  }
  return renames;
}

const content = ({ mode, id }: { mode: string; id: ObjectId }) => `${mode.slice(0, 3)} ${id}`;
const basename = (path: string) => path.slice(path.lastIndexOf('/') + 1);
