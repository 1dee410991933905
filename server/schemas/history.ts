/** What was, and what is: as `environments`, `history`, `show` and `compare` print it with `-o json`. */
import { z } from 'zod';
import { commitId, person, time } from './names.ts';
import { finding, permit, serviceDifference } from './plan.ts';

const environment = z
  .object({ tenant: z.string().optional(), environment: z.string(), services: z.array(z.string()) })
  .meta({ id: 'Environment' });

export const environments = z
  .object({
    environments: z.array(environment),
    tenants: z.boolean().describe('Whether the names of scopes begin with a tenant.'),
    findings: z.array(finding).optional(),
  })
  .meta({ id: 'Environments' });

/** One of them. */
export const environmentView = environment
  .extend({
    scope: z.string(),
    may: z
      .object({ request: permit })
      .describe('Whether the caller may ask for a rollback; what a plan finds besides is in its `gate`.'),
    askers: z
      .array(z.string())
      .describe('Emails of those who may, 50 at most; empty where the policy names nobody: everybody may.'),
  })
  .meta({ id: 'EnvironmentView' });

const revision = z
  .object({
    version: z.int(),
    commit: commitId,
    time,
    author: person,
    subject: z.string(),
    changes: z.array(
      z.object({ service: z.string().nullable(), files: z.array(z.string()), fields: z.array(z.string()) }),
    ),
    identity: z.object({
      images: z.array(z.string()),
      charts: z.array(z.string()),
      revisions: z.array(z.string()),
    }),
    source: z.enum(['deploy', 'release', 'promotion', 'rollback', 'unknown']),
    status: z.enum([
      'unknown',
      'rolledBack',
      'proposed',
      'pending',
      'deployed',
      'failed',
      'superseded',
      'decommissioned',
    ]),
    eligible: z.boolean(),
    reasons: z.array(z.string()),
    current: z.boolean(),
    rolledBackBy: commitId.nullable(),
    rollbackOf: z
      .object({ commit: commitId, version: z.int().nullable() })
      .nullable()
      .describe('Of a rollback of all of the scope: what it returned to.'),
    undoneBy: commitId.nullable(),
    breakGlass: z.string().nullable(),
  })
  .meta({ id: 'Revision' });

export const history = z
  .object({
    scope: z.string(),
    fields: z.array(z.string()).optional(),
    total: z.int(),
    revisions: z.array(revision),
    findings: z.array(finding).optional(),
    next: z.string().nullable().describe('`cursor` of the next page.'),
  })
  .meta({ id: 'History' });

export const shown = z
  .object({
    scope: z.string(),
    commit: commitId,
    version: z.int().nullable(),
    files: z.array(
      z.object({
        path: z.string(),
        selector: z.string().optional(),
        mode: z.string(),
        id: z.string(),
        text: z.string().nullable().describe('Masked; null for what is no text.'),
        kept: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'Shown' });

export const comparison = z
  .object({
    scope: z.string(),
    from: commitId,
    fromVersion: z.int().nullable(),
    to: commitId,
    toVersion: z.int().nullable(),
    changes: z.array(serviceDifference),
  })
  .meta({ id: 'Comparison' });
