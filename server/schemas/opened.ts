/** A request that was opened: as `rollback` prints it with `-o json`. */
import { z } from 'zod';
import { REQUEST_STATUSES } from '../../engine/index.ts';
import { planAsk } from './ask.ts';
import { commitId, mode } from './names.ts';
import { approval, finding } from './plan.ts';
import { destination, digest, proposedTo, pullRequest, requestId, requestView } from './request.ts';

/** What became of a rollback so far. */
const result = z.object({
  requestId,
  status: z.enum([...REQUEST_STATUSES, 'unchanged', 'proposed']),
  mode,
  scope: z.string(),
  base: commitId,
  target: commitId,
  commit: commitId.nullable(),
  deliveryCommit: commitId.nullable(),
  digest: z.string(),
  findings: z.array(finding),
  proposed: proposedTo.optional(),
  pullRequest: pullRequest.optional(),
});

export const opened = result
  .extend({
    destination: destination.optional(),
    resumes: z.array(z.string()).optional(),
    approval: approval.optional(),
    breakGlass: requestView.shape.breakGlass.unwrap().optional(),
    supersedes: requestId.optional(),
    request: requestView.nullable().describe('As the ledger has it; null: there was nothing to do.'),
  })
  .meta({ id: 'Opened' });

/** What a request is opened for: a plan that was looked at, and why. */
export const rollbackAsk = planAsk
  .extend({
    justification: z.string().max(100_000).nullish().describe('Why. It becomes part of the record.'),
    digest: digest
      .nullish()
      .describe('Of the plan that was looked at. Absent: whatever the plan is now, as with `--yes`.'),
    follows: requestId.nullish().describe('A failed request, in whose place this one is.'),
    rendered: digest
      .nullish()
      .describe('`gate.rendered` of that plan: the manifests too have to be those that were looked at.'),
  })
  .meta({ id: 'RollbackAsk' });
