import type { ObjectFormat, RepositoryPublisher, RepositoryReader, RequestId } from '../model/index.ts';
import { hasherOf } from './store/hash.ts';
import { createHistory } from './store/history.ts';
import { writeCommits } from './store/import.ts';
import { findRequest, messages } from './store/messages.ts';
import { createObjects } from './store/objects.ts';
import type { NativeObjects } from './store/objects.ts';
import { isAncestor } from './store/refs.ts';
import type { RefEdit } from './store/refs.ts';
import type { Runner } from './process/runner.ts';
import { deleteStaging, listStaging } from './store/staging.ts';

/**
 * A repository of this machine, our mirror of a remote, or a clone: read and published through our mirror of its upstream. Another way to publish
 * than a push replaces the publisher's half: `{ ...git, ...publisher }`.
 */
export type GitRepository = RepositoryReader & RepositoryPublisher;

/** What a local repository and a mirror have in common. */
export type Common = Pick<
  GitRepository,
  | 'directory'
  | 'shallow'
  | 'history'
  | 'hasher'
  | 'writeCommits'
  | 'messages'
  | 'findRequest'
  | 'isAncestor'
  | 'deleteStaging'
  | 'diffPaths'
  | 'inspect'
> & {
  readonly objects: NativeObjects;
  /** The edits that delete what is staged for a request: by this process, and by earlier ones that were killed. */
  staged(requestId: RequestId | undefined): readonly RefEdit[];
};

export function common(
  runner: Runner,
  {
    shallow,
    format,
    branches = 'refs/heads',
  }: { readonly shallow: boolean; readonly format: ObjectFormat; readonly branches?: string },
): Common {
  const objects = createObjects({ runner, shallow });
  const history = createHistory({ runner, objects, shallow, format, branches });
  const staged = new Map<RequestId, readonly RefEdit[]>();
  return {
    directory: runner.directory,
    shallow,
    objects,
    history,
    hasher: hasherOf(format),
    writeCommits: async (input) => {
      const { requestId } = input;
      const before = staged.get(requestId);
      const [{ ids, refs }, left] = await Promise.all([
        writeCommits(runner, input),
        before ?? listStaging(runner, requestId),
      ]);
      const edits = refs.map(({ ref, id }) => ({ ref, expected: id, next: null }));
      const others = left.filter(({ ref }) => !edits.some((edit) => edit.ref === ref));
      staged.set(requestId, [...others, ...edits]);
      return ids;
    },
    staged: (requestId) => (requestId === undefined ? [] : (staged.get(requestId) ?? [])),
    messages: (ids) => messages(runner, ids),
    findRequest: (search) => findRequest(runner, search),
    isAncestor: (ancestor, of) => isAncestor(runner, ancestor, of),
    deleteStaging: (requestId) => {
      staged.delete(requestId);
      return deleteStaging(runner, requestId);
    },
    diffPaths: (from, to) => history.diffPaths(from, to),
    inspect: (ids) => history.inspect(ids),
  };
}
