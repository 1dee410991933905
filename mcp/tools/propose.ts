/** `propose_rollback`: asks people for a rollback. Nothing is carried out before one of them agrees. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  BacktrailError,
  blockedError,
  deriveRequestId,
  type GatedPlan,
  isBlocked,
  planToAsk,
  recordable,
  type RequestId,
  requireReason,
  type RequestView,
  type RollbackPlan,
  toRequest,
} from '../../engine/index.ts';
import { answer } from '../data.ts';
import { askedBy, askOf, rollback } from './plan.ts';
import { requestOf } from './requests.ts';
import { type AddTool, answering, peopleOf, type ToolInput } from './tool.ts';

const input = z.strictObject({
  ...rollback,
  target: z
    .string()
    .regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/, 'It is a full commit id.')
    .describe('`target` of the plan.'),
  digest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'It is sha256: and 64 digits.')
    .describe('`digest` of the plan: nothing else is proposed.'),
  reason: z.string().min(1).max(4000).describe('Why. It becomes part of the record, for those who decide.'),
  key: z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'It is 1 to 255 visible ASCII characters.')
    .optional()
    .describe('The same call with the same key proposes once.'),
});

export const addPropose: AddTool = (server, tool) =>
  void server.registerTool(
    'propose_rollback',
    {
      title: 'Propose a rollback',
      description:
        'Proposes a rollback that was planned: a request that waits until people approve it, elsewhere. It changes no environment. A pending request of the same scope gives way to it.',
      inputSchema: input,
      annotations: {
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: false,
      },
    },
    (asked) =>
      answering(tool, async () => {
        const { request, isRepeated } = await propose(tool, asked);
        if (request === null)
          return answer(['Nothing would change, so nothing was proposed.'], { scope: asked.scope });
        const { id, status, approval } = request;
        const waits = `it waits for the approval of ${peopleOf(approval.need)}, given elsewhere, and nothing is carried out before`;
        return answer(
          [
            `${isRepeated ? 'It was proposed before with this key' : 'Proposed'} as ${id}: ${status === 'pending' ? waits : `it is ${status}`}.`,
          ],
          requestOf(tool, request),
        );
      }),
  );

interface Proposed {
  /** null: nothing would change. */
  readonly request: RequestView | null;
  readonly isRepeated: boolean;
}

async function propose(
  tool: ToolInput,
  { target, digest, reason, key, ...asked }: z.output<typeof input>,
): Promise<Proposed> {
  const { engine, actor } = tool;
  requireReason(reason, 'A rollback');
  const ask = { ...askOf(asked, target), ...askedBy(tool) };
  const id = key === undefined ? undefined : idOfKey(actor.email, key);
  if (id !== undefined) {
    const before = await engine.rollbacks.earlier({ ...ask, id });
    if (before !== null) return { request: repeated(before, { digest, reason }), isRepeated: true };
  }
  const plan: GatedPlan = await planToAsk(engine, ask);
  if (isBlocked(plan)) throw blockedError(plan);
  if (plan.unchanged) return { request: null, isRepeated: false };
  const wish = toRequest(plan, {
    ...(id !== undefined && { id }),
    author: actor,
    reason,
    allowRemoval: false,
    ledger: true,
  });
  const { request } = await engine.rollbacks.request({ ...wish, digest, propose: true });
  return { request, isRepeated: false };
}

const idOfKey = (email: string, key: string): RequestId => {
  const parts = JSON.stringify(['propose_rollback', email.trim().toLowerCase(), key]);
  return deriveRequestId(createHash('sha256').update(parts).digest());
};

/** @throws KEY_REUSED where the key was used for something else */
function repeated(
  { plan, request }: { readonly plan: RollbackPlan; readonly request: RequestView | null },
  { digest, reason }: { readonly digest: string; readonly reason: string },
): RequestView {
  if (request !== null && plan.digest === digest && request.justification === recordable(reason))
    return request;
  throw new BacktrailError('KEY_REUSED', 'This key was used for another proposal.', {
    hint: 'Propose the same again, or with another key.',
  });
}
