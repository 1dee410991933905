import { isFailure } from '../../model/index.ts';
import type { ObjectId } from '../../model/index.ts';
import type { LedgerRefs } from './store.ts';
import { trackingRef } from '../remote/mirror.ts';
import type { Mirror } from '../remote/mirror.ts';
import type { NativeObjects } from '../store/objects.ts';
import { descends, readExactly, readRef, updateRefs } from '../store/refs.ts';
import type { RefEdit } from '../store/refs.ts';
import type { Runner } from '../process/runner.ts';

/** Ledgers at a remote: fetched into our mirror, one ref at a time, and moved by pushes. */
export function ledgerAt(
  mirror: Mirror,
  { runner, objects }: { readonly runner: Runner; readonly objects: NativeObjects },
): LedgerRefs {
  return {
    read,
    // Of a branch, a mirror of very many fetches only those that were asked for.
    brought: (ref) =>
      ref.startsWith('refs/backtrail/')
        ? commitAt(trackingRef(ref)).catch(() => null)
        : Promise.resolve(null),
    here: trackingRef,
    async move(edit, staged) {
      await mirror.push([edit]).catch(async (error: unknown) => {
        if (!(await hasArrived(edit.ref, edit.next))) throw error;
      });
      await tidy([{ ...edit, ref: trackingRef(edit.ref) }]);
      await tidy(staged);
    },
  };

  async function read(ref: string): Promise<ObjectId | null> {
    const isThere = await mirror.fetchRef(ref).then(
      () => true,
      (error: unknown) => {
        if (isFailure(error) && error.code === 'BRANCH_UNKNOWN') return false;
        throw error;
      },
    );
    const tracking = trackingRef(ref);
    const tracked = await commitAt(tracking);
    if (isThere) return tracked;
    if (tracked !== null) await tidy([{ ref: tracking, expected: tracked, next: null }]);
    return null;
  }

  /** In a mirror, git itself has written the ref: only what is not a commit has to be explained. */
  async function commitAt(tracking: string): Promise<ObjectId | null> {
    const id = await readRef({ runner, objects, ref: tracking });
    return id !== null && (await objects.type(id)) === 'commit' ? id : readExactly(runner, tracking);
  }

  /** A push whose answer was lost, or that git retried on its own, has moved the ref all the same. */
  async function hasArrived(ref: string, next: ObjectId): Promise<boolean> {
    const at = await read(ref).catch(() => null);
    return at !== null && descends({ runner, objects }, next, at);
  }

  /** Refs of the mirror: another process may have moved them further. */
  async function tidy(edits: readonly RefEdit[]): Promise<void> {
    await updateRefs(runner, edits).catch((error: unknown) => {
      if (!isFailure(error)) throw error;
    });
  }
}
