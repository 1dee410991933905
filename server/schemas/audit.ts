/** The ledger's record and what an audit says: as `audit log` and `audit verify` print them with `-o json`. */
import { z } from 'zod';
import { AUDIT_READERS } from '../../engine/index.ts';
import { authenticated, commitId, mode, person, time } from './names.ts';
import { next, pageQuery } from './paging.ts';
import { scopeQuery } from './scope.ts';

const auditEvent = z
  .object({
    commit: commitId,
    eventId: z.string().describe('Empty for a commit that holds no event.'),
    event: z.string(),
    at: time,
    actor: person,
    authenticated,
    identity: z.enum(['verified', 'unverified']),
    requestId: z.string().nullable(),
    sessionId: z.string().nullable(),
    scope: z.string(),
    status: z.string().nullable(),
    subject: z.string(),
    comment: z.string().nullable(),
    problems: z.array(z.string()),
  })
  .meta({ id: 'AuditEvent' });

export const auditEvents = z.object({ events: z.array(auditEvent), next }).meta({ id: 'AuditEvents' });

export const auditQuery = z.strictObject({
  ...scopeQuery,
  since: z.string().min(1).max(64).optional().describe('`2026-11-20` or `2026-11-20T10:00Z`.'),
  actor: z.string().min(1).max(320).optional().describe('An email address.'),
  ...pageQuery(z.string().regex(/^[0-9a-f]{40,64}\.[\w-]{0,64}$/, 'It is not a `next` of another page.'), 50),
});

export const problem = z.object({ code: z.string(), message: z.string() });
export const verdict = z.enum(['honest', 'tampered', 'unverifiable']);

export const auditRow = z.object({
  commit: commitId,
  requestId: z.string(),
  scope: z.string(),
  mode: mode.nullable(),
  verdict,
  problems: z.array(problem),
  kind: z.enum(['rollback', 'resume', 'delivery']),
  how: z.enum(['push', 'merge', 'rebase', 'squash', 'queue']),
  deliveryCommit: commitId.nullable(),
  time: time.nullable(),
});

export const auditReport = z
  .object({
    range: z.object({ from: commitId.nullable(), to: commitId }),
    reader: z.enum(AUDIT_READERS),
    checked: z.int(),
    honest: z.int(),
    tampered: z.int(),
    unverifiable: z.int(),
    rows: z.array(auditRow),
    ledger: z.object({
      tip: commitId.nullable(),
      problems: z.array(problem.extend({ commit: commitId.optional(), requestId: z.string().optional() })),
    }),
    outside: z.array(
      z.object({
        commit: commitId,
        reverts: commitId.nullable(),
        kind: z.enum(['revert', 'imitation', 'hold']),
        subject: z.string(),
      }),
    ),
  })
  .meta({ id: 'AuditReport' });

export const verifyAsk = z
  .strictObject({
    range: z
      .string()
      .min(1)
      .max(512)
      .nullish()
      .describe('`FROM..TO`, `FROM..`, or one commit id; all of the branch where absent.'),
    scopes: z.array(z.string().min(1).max(1024)).max(100).optional(),
    reader: z.enum(AUDIT_READERS).nullish(),
    render: z.boolean().optional().describe('Render manifests again, and compare their bytes.'),
  })
  .meta({ id: 'AuditVerifyAsk' });
