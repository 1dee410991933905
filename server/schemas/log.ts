/** What the branch says was rolled back, as `log` prints it with `-o json`. */
import { z } from 'zod';
import { auditRow, problem, verdict } from './audit.ts';
import { commitId, mode, person, time } from './names.ts';
import { next, pageQuery } from './paging.ts';
import { scopeNames } from './scope.ts';

const entry = z.object({
  requestId: z.string(),
  commit: commitId,
  time,
  author: person,
  scope: z.string(),
  reason: z.string(),
  via: z.enum(['merge', 'rebase', 'squash', 'queue']).optional(),
  pullRequest: z.object({ number: z.int(), url: z.string() }).optional(),
  problems: z.array(z.string()).describe('In which respects the trailers are not as Backtrail writes them.'),
  verdict: verdict.optional().describe('What an audit says of it; absent where it was not looked at.'),
});

const rollback = entry
  .extend({
    mode,
    deliveryCommit: commitId.nullable(),
    record: z.object({
      mode,
      tenant: z.string().optional(),
      environment: z.string(),
      service: z.string().optional(),
      justification: z.string(),
      author: z.string(),
      approvals: z.array(z.string()),
      requestId: z.string(),
      target: z.string(),
      base: z.string(),
      plan: z.string(),
      engine: z.int(),
      fields: z.array(z.string()),
      overrides: z.array(z.string()).optional(),
      breakGlass: z.string().optional(),
      ledger: z.string().optional(),
      holds: z.array(z.string()).optional(),
    }),
  })
  .meta({ id: 'LogEntry' });

const resume = entry.extend({ holds: z.array(z.string()) }).meta({ id: 'ResumeEntry' });

const recurring = z.object({
  scope: z.string(),
  mode,
  fields: z.array(z.string()),
  target: commitId,
  rollbacks: z.array(entry.pick({ requestId: true, commit: true, time: true, author: true, reason: true })),
});

/** `recurring` in place of all else, where that was asked for. */
export const log = z
  .object({
    rollbacks: z.array(rollback).optional(),
    resumes: z.array(resume).optional(),
    unlisted: z.array(auditRow).optional(),
    unjudged: problem.optional(),
    next: next
      .optional()
      .describe('`cursor` of the next page; null: this is the last one. Absent with `recurring`.'),
    recurring: z.array(recurring).optional(),
  })
  .meta({ id: 'Log' });

export const logQuery = z.strictObject({
  ...scopeNames,
  ...pageQuery(
    z
      .string()
      .regex(
        /^(?:-|[0-9a-f]{40,64}\.\d{1,5})~(?:-|[0-9a-f]{40,64}\.\d{1,5})$/,
        'It is not a `next` of another page.',
      ),
    50,
  ),
  recurring: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .describe('Only scopes that went back to one revision again and again.'),
});
