/** Incidents: asked for as in a file of the command line, and answered as `incident` prints them with `-o json`. */
import { z } from 'zod';
import { incidentSchema } from '../../workers/incident/index.ts';
import { commitId } from './names.ts';
import { approval, finding, gatedPlan } from './plan.ts';
import { digest, proposedTo, pullRequest, requestId } from './request.ts';

/** Without what a file says of places: the server has one repository, and its branch the configuration. */
export const incidentAsk = incidentSchema.omit({ repo: true, config: true }).meta({ id: 'IncidentAsk' });

export const incidentQuery = z.strictObject({
  dryRun: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .describe('Only the plans: nothing is asked for.'),
});

const { mode, current, currentVersion, targetVersion, unchanged, impact, findings, publish, gate } =
  gatedPlan.shape;

/** What a plan comes to, without its differences. */
const plannedRow = z
  .object({
    mode,
    current,
    currentVersion,
    targetVersion,
    digest: digest.describe('`digest` of the rollback that is asked for: only this plan then is.'),
    rendered: gate.shape.rendered.describe('The same for its manifests.'),
    unchanged,
    impact,
    findings,
    publish,
    gate: gate.pick({ needsApproval: true, quorum: true, approvers: true, session: true }),
  })
  .meta({ id: 'PlannedRow' });

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
        error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).optional(),
      }),
    ),
  })
  .meta({ id: 'Incident' });
