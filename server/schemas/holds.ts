/** What is held: as `holds` prints it with `-o json`. */
import { z } from 'zod';
import { time } from './names.ts';
import { next, pageQuery } from './paging.ts';
import { finding } from './plan.ts';
import { scopeNames, scopeQuery } from './scope.ts';

const hold = z
  .object({
    path: z.string(),
    requestId: z.string(),
    scope: z.string(),
    fields: z.array(
      z.object({
        path: z.string(),
        selector: z.string().describe('Empty for the whole file.'),
        held: z.string().nullable(),
        now: z.string().nullable(),
        broken: z.boolean(),
      }),
    ),
    since: time,
    until: time.nullable().describe('null: until it is resumed.'),
    reason: z.string(),
    author: z.string(),
    state: z.enum(['active', 'expired', 'broken']),
    adapters: z.array(z.string()),
  })
  .meta({ id: 'Hold' });

export const holds = z
  .object({
    holds: z.array(hold),
    findings: z.array(finding).optional(),
    partial: z
      .literal(true)
      .optional()
      .describe('There may be others, in environments that the caller may not read.'),
    next,
  })
  .meta({ id: 'Holds' });

export const holdsQuery = z.strictObject({ ...scopeQuery, ...pageQuery(z.string().min(1).max(4096)) });

export const resumeAsk = z
  .strictObject({
    ...scopeNames,
    selectedFields: z.array(z.string().min(1).max(1024)).max(1000).optional(),
    override: z.array(z.string().max(64)).max(32).optional(),
    digest: z.string().max(128).nullish().describe('Of the plan that was looked at.'),
    justification: z.string().max(8000).nullish().describe('Why. It becomes part of the record.'),
  })
  .meta({ id: 'ResumeAsk' });
