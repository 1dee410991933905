/** Incidents: asked for as in a file of the command line, and answered as `incident` prints them with `-o json`. */
import { z } from 'zod';
import { incidentSchema } from '../../workers/incident/index.ts';
import { commitId, person } from '../schemas/names.ts';
import { approval, finding, gatedPlan, permit } from '../schemas/plan.ts';
import { digest, proposedTo, pullRequest, requestId, requestView } from '../schemas/request.ts';

/** Without what a file says of places: the server has one repository, and its branch the configuration. */
export const incidentAsk = incidentSchema.omit({ repo: true, config: true }).meta({ id: 'IncidentAsk' });

export const incidentQuery = z.strictObject({
  dryRun: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .describe('Only the plans: nothing is asked for.'),
});

/** What a plan comes to, without its differences. */
const summary = gatedPlan.pick({
  mode: true,
  current: true,
  currentVersion: true,
  targetVersion: true,
  unchanged: true,
  impact: true,
  findings: true,
  overrides: true,
  publish: true,
});
const { gate } = gatedPlan.shape;

const plannedRow = summary
  .extend({
    digest: digest.describe('`digest` of the rollback that is asked for: only this plan then is.'),
    rendered: gate.shape.rendered.describe('The same for its manifests.'),
    gate: gate.pick({ needsApproval: true, quorum: true, approvers: true, session: true }),
  })
  .meta({ id: 'PlannedRow' });

const error = z.object({ code: z.string(), message: z.string(), hint: z.string() });

export const incident = z
  .object({
    id: z.string(),
    findings: z.array(finding).optional(),
    rollbacks: z.array(
      z.object({
        scope: z.string(),
        fields: z.array(z.string()).optional(),
        target: commitId.nullable(),
        requestId,
        status: z.enum([
          'not started',
          'pending',
          'approved',
          'executing',
          'proposed',
          'completed',
          'unchanged',
          'failed',
        ]),
        commit: commitId.nullable(),
        proposed: proposedTo.optional(),
        pullRequest: pullRequest.optional(),
        approval: approval.optional(),
        plan: plannedRow.optional().describe('With `dryRun`.'),
        error: error.optional(),
      }),
    ),
  })
  .meta({ id: 'Incident' });

/** The id that was given to it, as it is. */
export const incidentParams = z.object({ id: z.string().min(1).max(1024) });

const { status, target, targetVersion } = requestView.shape;

export const incidentState = z
  .object({
    id: z.string(),
    asked: z.array(z.object({ author: person, reason: z.string(), rollbacks: z.int() })),
    rollbacks: z.array(
      z.object({
        requestId,
        scope: z.string(),
        fields: z.array(z.string()).optional(),
        author: z.string(),
        status,
        target,
        targetVersion,
        commit: commitId.nullable(),
        unchanged: z.literal(true).optional().describe('Nothing had to be changed.'),
        approval: approval.optional(),
        pullRequest: pullRequest.optional(),
        atomic: z.literal(true).optional().describe('It is published with others, or not at all.'),
        error: error.omit({ hint: true }).optional(),
        problems: z.array(z.string()).optional(),
      }),
    ),
  })
  .meta({ id: 'IncidentState' });

const reviewedRow = z.object({
  scope: z.string(),
  target,
  requestId,
  author: z.string(),
  digest,
  status,
  approval: approval.optional(),
  error: error.optional(),
});

export const incidentPlans = z
  .object({
    id: z.string(),
    rollbacks: z.array(
      reviewedRow.extend({
        atomic: z.literal(true).optional(),
        plan: summary
          .extend({
            digest,
            rendered: z
              .string()
              .nullable()
              .describe('Digest of the manifests, where approvals bind to them as well.'),
            changed: z.boolean().describe('It is not what reviewers are asked about.'),
          })
          .optional()
          .describe('Absent: it cannot be planned now.'),
        may: z.object({ approve: permit, reject: permit }).optional(),
      }),
    ),
  })
  .meta({ id: 'IncidentPlans' });

export const incidentVotes = z
  .strictObject({
    votes: z
      .array(
        z.strictObject({
          id: requestId,
          digest: digest.describe('Of the plan that was looked at.'),
          rendered: digest.nullish().describe('`rendered` of that plan.'),
        }),
      )
      .min(1)
      .max(5000),
    comment: z.string().max(100_000).nullish(),
  })
  .meta({ id: 'IncidentVotes' });

export const incidentReviewed = z
  .object({
    id: z.string(),
    rollbacks: z.array(reviewedRow.extend({ voted: z.boolean(), commit: commitId.nullable() })),
  })
  .meta({ id: 'IncidentReviewed' });

export const incidentRetry = z
  .strictObject({ ids: z.array(requestId).min(1).max(5000).optional() })
  .meta({ id: 'IncidentRetry' });
