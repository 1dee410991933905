/** A plan, as `plan -o json` prints it. */
import { z } from 'zod';
import { commitId, mode, person, time } from './names.ts';
import { openSession } from './open-session.ts';

export const finding = z
  .object({
    code: z.string(),
    severity: z.enum(['block', 'warn', 'info']),
    message: z.string(),
    hint: z.string().optional(),
    path: z.string().optional(),
    remedy: z
      .enum(['override', 'allow-removal', 'whole-file'])
      .optional()
      .describe(
        'What the ask may add for it to go ahead although this blocks it: `override` of its code, `allowRemoval`, `wholeFile`.',
      ),
    overridden: z.literal(true).optional(),
  })
  .meta({ id: 'Finding' });

const fieldChange = z.object({
  selector: z.string(),
  op: z.enum(['add', 'remove', 'replace']),
  before: z.string().optional(),
  after: z.string().optional(),
  diff: z.string().optional(),
});

/** Masked. */
const fileDifference = z
  .object({
    path: z.string(),
    change: z.enum(['added', 'removed', 'modified']),
    fields: z.array(fieldChange).optional(),
    diff: z.string().optional(),
  })
  .meta({ id: 'FileDifference' });

export const serviceDifference = z
  .object({ service: z.string().nullable(), files: z.array(fileDifference) })
  .meta({ id: 'ServiceDifference' });

const rules = z.array(
  z.object({ environment: z.string(), need: z.int(), have: z.int(), approvers: z.array(z.string()) }),
);
export const approval = z
  .object({ need: z.int(), have: z.int(), approvers: z.array(z.string()), rules: rules.optional() })
  .meta({ id: 'Approval' });

/** Whether a person may do something, or the failure that they would get. */
export const permit = z
  .discriminatedUnion('allowed', [
    z.object({ allowed: z.literal(true) }),
    z.object({
      allowed: z.literal(false),
      code: z.string(),
      message: z.string(),
      hint: z.string(),
      details: z.record(z.string(), z.unknown()).optional(),
    }),
  ])
  .meta({ id: 'Permit' });

const gate = z.object({
  needsApproval: z.boolean(),
  quorum: z.int(),
  approvers: z.array(z.string()),
  rules: rules.optional(),
  ledgered: z.boolean(),
  session: openSession.nullable(),
  rendered: z.string().nullable(),
  person,
  may: z.object({ request: permit, execute: permit, approve: permit }),
});

const plannedHold = z.object({
  for: z.string().nullable().describe('null: until it is resumed.'),
  fields: z.array(
    z.object({
      path: z.string(),
      selector: z.string(),
      held: z.string().nullable(),
      secret: z.literal(true).optional(),
    }),
  ),
  taken: z.array(z.object({ adapter: z.string(), path: z.string(), selector: z.string() })),
});

const revisionDetails = z.object({ time, author: person, subject: z.string() });

/** What plans of rollbacks have in common, asked for or not. */
export const plan = z
  .object({
    mode,
    scope: z.string(),
    tenant: z.string().optional(),
    environment: z.string(),
    service: z.string().optional(),
    fields: z.array(z.string()).optional(),
    wholeFiles: z.array(z.string()).optional(),
    owners: z.array(z.string()).optional(),
    branch: z.string(),
    destination: z
      .object({ remote: z.string().nullable(), address: z.string(), branch: z.string() })
      .optional(),
    publish: z
      .object({
        via: z.enum(['pull-request', 'branch']),
        merge: z.enum(['auto', 'manual']),
        method: z.enum(['merge', 'rebase', 'squash']).nullable(),
        labels: z.array(z.string()),
      })
      .optional(),
    base: commitId,
    target: commitId,
    targetVersion: z.int().nullable(),
    current: commitId,
    currentVersion: z.int().nullable(),
    digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    unchanged: z.boolean(),
    changes: z.array(serviceDifference),
    manifests: z.array(fileDifference),
    kept: z.array(z.object({ path: z.string(), selector: z.string().optional(), by: z.string() })),
    impact: z.object({
      services: z.array(z.string()),
      bindings: z.array(z.string()),
      variables: z.array(z.string()),
      files: z.int(),
      fields: z.int(),
    }),
    findings: z.array(finding),
    overrides: z.array(z.string()).optional(),
    hold: plannedHold.optional(),
    replacesHolds: z.array(z.string()).optional(),
    resumes: z.array(z.string()).optional(),
    approval: approval.optional(),
    revisions: z
      .object({ target: revisionDetails.optional(), current: revisionDetails.optional() })
      .optional(),
  })
  .meta({ id: 'Plan' });

/** With what stands between it and its execution, for whoever asks. */
export const gatedPlan = plan.extend({ gate }).meta({ id: 'GatedPlan' });
