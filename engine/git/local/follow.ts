import { BacktrailError, isFailure, quotePath, shellWord } from '../../model/index.ts';
import type { Finding, ObjectId } from '../../model/index.ts';
import { copyObjects, hasObject, isConnected } from './copy.ts';
import { printable } from '../process/failure.ts';
import type { LocalRepository } from './local.ts';
import { isBranchName, readRef, updateRefs } from '../store/refs.ts';
import { isBehind, tipOf } from './branch-pair.ts';
import type { Clone } from './branch-pair.ts';
import { notPushed } from './upstream.ts';
import type { Upstream } from './upstream.ts';

/** What happens in a clone after its upstream has the rollback. Nothing here is an error: the rollback is already published. */
export async function followUp(clone: Clone, edit: { branch: string; next: ObjectId }): Promise<Finding[]> {
  const { branch, next } = edit;
  const found: { own: string; others: Finding[] } = { own: branch, others: [] };
  try {
    const { branch: own, upstream } = await clone.pairOf(branch);
    found.own = own ?? branch;
    if (upstream.others) found.others.push(notPushed(branch, upstream.remote, true));
    const here = await tipOf(clone.local, own);
    if (!(await bringHome(clone, { own, here, next, upstream })))
      return [
        ...found.others,
        stays(found.own, LACKS, `\`git pull --rebase\` on ${found.own} brings both together.`),
      ];
    return found.others;
  } catch (error) {
    return [...found.others, stoppedBy(error, found.own, next)];
  }
}

const LACKS = 'it has commits that its upstream does not have';

/** Objects first, then the tracking ref, as a push of git moves it, then the local branch. False where that has a way of its own. */
async function bringHome(
  clone: Clone,
  step: { own: string | null; here: ObjectId | null; next: ObjectId; upstream: Upstream },
): Promise<boolean> {
  const { local, remote, timeoutMs } = clone;
  const { own, here, next } = step;
  const tracking = await trackingRef(local, own, step.upstream);
  const tracked = tracking === null ? null : await readRef({ ...local, ref: tracking });
  const isKnown = async (id: ObjectId | null) => id !== null && (await isBehind(clone, id, next));
  const move = await isKnown(here);
  // A fetch of git would move it as well where its upstream was forced to another line.
  const track = (await isKnown(tracked)) || (tracked !== null && (await isForced(clone, step.upstream)));
  const either = [...(move ? [here] : []), ...(track ? [tracked, here] : [])].filter((id) => id !== null);
  const known: ObjectId[] = [];
  for (const id of new Set(either)) if (await hasObject(remote, id)) known.push(id);
  if (known.length > 0 && !(await hasObject(local, next)))
    await copyObjects({ from: remote.runner, to: local.runner, wanted: [next], known, timeoutMs });
  // A shallow clone may lack the past of a branch that was merged meanwhile, also after an earlier run had copied the rest.
  if (known.length > 0 && !(await isConnected(local.runner, next)))
    throw new BacktrailError('OBJECT_MISSING', 'this clone lacks commits in between');
  if (tracking !== null && tracked !== null && track && tracked !== next)
    // A fetch that the user runs at this moment may have moved it.
    await updateRefs(local.runner, [{ ref: tracking, expected: tracked, next }]).catch(() => undefined);
  if (own === null || here === null || here === next) return true;
  if (!move) return (await hasObject(local, next)) && local.isAncestor(next, here);
  await local.publish({ branch: own, expected: here, next });
  return true;
}

/** `+refs/heads/*:…`, as git clone sets it up. */
async function isForced({ local }: Clone, { remote }: Upstream): Promise<boolean> {
  const key = `remote.${remote}.fetch`;
  return (await local.config()).some((entry) => entry.key === key && entry.value?.startsWith('+') === true);
}

/** The ref that a fetch of the user's would move; never one outside `refs/remotes/`, whatever the configuration maps it to. */
async function trackingRef(
  local: LocalRepository,
  own: string | null,
  { remote, branch }: Upstream,
): Promise<string | null> {
  const format = ['for-each-ref', '--format=%(upstream)'];
  const ref =
    own === null
      ? `refs/remotes/${remote}/${branch}`
      : await local.runner.text([...format, `refs/heads/${own}`]);
  return ref.startsWith('refs/remotes/') && isBranchName(ref) ? ref : null;
}

function stoppedBy(error: unknown, own: string, next: ObjectId): Finding {
  const message = error instanceof Error ? error.message : String(error);
  const follow = `merge --ff-only ${next.slice(0, 12)}`;
  const worktree = isFailure(error) ? error.details['worktree'] : undefined;
  if (typeof worktree === 'string')
    return stays(
      own,
      `it is checked out in ${quotePath(worktree)}`,
      `\`git -C ${shellWord(worktree)} ${follow}\``,
    );
  const lock = isFailure(error) && error.code === 'REPOSITORY_LOCKED' ? error.details['lock'] : undefined;
  if (typeof lock === 'string')
    return stays(
      own,
      message,
      `If no other git runs here, ${quotePath(lock)} was left behind: remove it, then \`git pull --ff-only\` on ${own}.`,
    );
  return stays(own, message, `Run \`git pull --ff-only\` on ${own} when that is out of the way.`);
}

function stays(own: string, why: string, hint: string): Finding {
  return {
    code: 'LOCAL_NOT_UPDATED',
    severity: 'warn',
    message: printable(
      `It is published, but ${own} of this clone stays where it is: ${why.replace(/\.$/, '')}.`,
    ),
    hint: printable(hint),
  };
}
