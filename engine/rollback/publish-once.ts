/** One rollback in one attempt, on a plan that was made already: it is published with its record, or not at all. */
import type { RollbackRequest, RollbackResult } from '../model/index.ts';
import { writeInto } from './batch/chain.ts';
import { deliver } from './deliver.ts';
import { type ExecuteInput, outcomeOf, requireConfirmed } from './execute.ts';
import type { Planned } from './planning/planned.ts';
import { publish } from './publish.ts';
import { NOT_RECORDED, type RideAlong } from './records.ts';
import { signOf, stage } from './stage.ts';
import { verify } from './verify.ts';
import { requireWritten } from './written.ts';

interface OnceInput extends Pick<ExecuteInput, 'git' | 'committer' | 'recorder' | 'onStep' | 'signal'> {
  readonly request: RollbackRequest;
  readonly planned: Planned;
  /** What has to move with the branch. */
  readonly record: (made: RollbackResult) => Promise<RideAlong>;
}

/** @throws BRANCH_MOVED, PLAN_CHANGED, and what publishing fails with; where that is not its last step, it may be published all the same */
export async function publishOnce(input: OnceInput): Promise<RollbackResult> {
  const { git, committer, request, planned, record, onStep, signal } = input;
  const { branch, base, digest } = planned.plan;
  requireConfirmed(request, planned);
  await git.requireKey(signOf(request, planned));
  await onStep?.({ step: 'planned', digest });
  const chain = git.beginChain({ parent: base, requestId: request.id });
  try {
    const into = { git: { writeCommits: writeInto(chain) }, request, committer };
    const delivered = await deliver(into, await stage(into, planned));
    const written = chain.end().then(() => requireWritten(git, delivered.written));
    // Waited for below.
    written.catch(() => undefined);
    const { commit, deliveryCommit } = delivered;
    const made = outcomeOf(request, planned, 'completed', { commit, deliveryCommit, findings: [] });
    const step = { digest, commit, deliveryCommit };
    const completed = await record(made);
    // A resume deploys nothing.
    const recorder = request.resume ? undefined : input.recorder;
    let recorded = NOT_RECORDED;
    const ready = async () => {
      await written;
      await onStep?.({ step: 'staged', ...step });
      await onStep?.({ step: 'delivered', ...step });
      signal?.throwIfAborted();
      recorded = (await recorder?.prepare([made])) ?? NOT_RECORDED;
    };
    await ready().catch(async (error: unknown) => {
      await completed.end('discarded');
      throw error;
    });
    const published = await publish(git, request.id, delivered, [completed, recorded.ride]);
    await onStep?.({ step: 'published', ...step });
    await Promise.all([verify(git, published), chain.drop()]);
    const followed = await git.followUp({ branch, next: deliveryCommit ?? commit });
    await recorded.finish();
    await onStep?.({ step: 'verified', ...step });
    const findings = [...followed, ...recorded.findingsOf(request.id)];
    return outcomeOf(request, planned, 'completed', { commit, deliveryCommit, findings });
  } finally {
    await chain.drop();
  }
}
