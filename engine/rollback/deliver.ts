/**
 * Step 3: the manifests, as a commit of their own on top of the revert commit. Unchanged manifests make no commit. `requireWritten` reads both
 * commits back before anything is published.
 */
import { BacktrailError, type ObjectId } from '../model/index.ts';
import { deliveryMessage, type Message } from '../record/message.ts';
import type { DeliveryRecord } from '../record/trailers.ts';
import { messageStyle, shortTarget, signOf, type Staged, type StageInput } from './stage.ts';
import type { ExpectedCommit } from './written.ts';

export interface Delivered extends Omit<Staged, 'written'> {
  readonly deliveryCommit: ObjectId | null;
  /** One or both commits, to be read back. */
  readonly written: readonly ExpectedCommit[];
}

export async function deliver({ git, request, committer }: StageInput, staged: Staged): Promise<Delivered> {
  const { outputs } = staged.delivery;
  if (outputs.length === 0) return { ...staged, deliveryCommit: null, written: [staged.written] };
  const message = manifestsMessage({ request, committer }, staged);
  const writes = [...outputs].sort((a, b) => Number(a.after !== null) - Number(b.after !== null));
  const [commit] = await git.writeCommits({
    requestId: request.id,
    commits: [
      {
        parent: staged.commit,
        author: committer,
        committer,
        time: request.requestedAt,
        message: message.text,
        writes,
        sign: signOf(request, staged),
      },
    ],
  });
  if (commit === undefined) throw new BacktrailError('GIT_FAILED', 'Git wrote no commit.');
  const written = {
    commit,
    parent: staged.commit,
    trailers: message.trailers,
    message: message.text,
    files: outputs,
  };
  return { ...staged, deliveryCommit: commit, written: [staged.written, written] };
}

/** What the commit of the manifests says of itself. */
export function manifestsMessage(
  { request, committer }: Pick<StageInput, 'request' | 'committer'>,
  staged: Omit<Staged, 'written'>,
): Message {
  const { renderers } = staged.delivery;
  // If only stale outputs are removed, no renderer produced anything.
  const renderer = renderers.length > 0 ? renderers.join(', ') : 'none';
  const record: DeliveryRecord = { of: staged.commit, renderer, requestId: request.id };
  return deliveryMessage({
    record,
    rollback: staged.record,
    services: staged.plan.impact.services,
    shortTarget: shortTarget(request),
    style: messageStyle(staged, [committer]),
  });
}
