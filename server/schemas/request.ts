/** Requests, as `request show`, `request list` and `request approve` print them with `-o json`. */
import { z } from 'zod';
import { NOTE_KINDS, REQUEST_STATUSES } from '../../engine/index.ts';
import { authenticated, commitId, environmentName, mode, person, time } from './names.ts';
import { pageQuery } from './paging.ts';
import { approval, finding, permit, plan } from './plan.ts';

/** `rbk-` and 26 characters. */
export const requestId = z.string().regex(/^rbk-[0-9A-HJKMNP-TV-Z]{26}$/);
export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'It is `sha256:` and 64 digits.');

const status = z.enum(REQUEST_STATUSES);
const identity = z.enum(['verified', 'unverified']);
const place = z.object({ repository: z.string(), branch: z.string() });

const scope = z.object({
  mode,
  tenant: z.string().optional(),
  environment: z.string(),
  service: z.string().optional(),
  fields: z.array(z.string()).optional(),
  wholeFile: z.literal(true).optional(),
});

const review = z
  .object({
    id: z.string(),
    decision: z.enum(['approved', 'rejected']),
    actor: person,
    at: time,
    comment: z.string().nullable(),
    digest: z.string().describe('Of the plan that was voted on.'),
    place: place.optional(),
    authenticated,
    identity,
    counts: z.boolean().describe('Towards the quorum, or the rejections that end the request.'),
    elsewhere: z.literal(true).optional(),
  })
  .meta({ id: 'Review' });

const note = z.object({
  id: z.string(),
  actor: person,
  at: time,
  kind: z.enum(NOTE_KINDS),
  text: z.string(),
});

const link = z.object({ number: z.int(), url: z.string() });
export const pullRequest = link
  .extend({
    state: z.enum(['open', 'closed', 'merged']),
    statusChecks: z.object({ total: z.int(), passed: z.int(), failed: z.int(), pending: z.int() }).nullable(),
  })
  .meta({ id: 'PullRequest' });

/** Where what waits to be merged is, as results name it. */
export const proposedTo = z.object({
  via: z.enum(['pull-request', 'branch']),
  branch: z.string(),
  into: z.string(),
});

const arrived = z.object({
  how: z.enum(['merge', 'rebase', 'squash', 'queue']),
  link: link.nullable(),
  by: z.string().nullable(),
  reviews: z.array(
    z.object({
      actor: z.string(),
      state: z.enum(['approved', 'changes-requested', 'commented', 'dismissed']),
      at: time,
    }),
  ),
});

const proposed = z.object({
  via: z.enum(['pull-request', 'branch']),
  branch: z.string(),
  base: commitId,
  commit: commitId,
  deliveryCommit: commitId.nullable(),
  tip: commitId,
  messages: z.object({ revert: z.string(), delivery: z.string().nullable() }),
  change: z.object({ revert: z.string(), delivery: z.string().nullable(), whole: z.string() }),
  together: z.string().optional(),
});

const result = z.discriminatedUnion('status', [
  z.object({
    status: z.enum(['completed', 'unchanged']),
    commit: commitId.nullable(),
    deliveryCommit: commitId.nullable(),
    arrived: arrived.optional(),
  }),
  z.object({ status: z.literal('failed'), code: z.string(), message: z.string() }),
]);

const breakGlass = z.object({
  session: z.string(),
  ticket: z.string().nullable(),
  review: z.object({ id: z.string(), actor: person, at: time, comment: z.string() }).nullable(),
});

export const requestView = z
  .object({
    id: requestId,
    scope,
    scopeName: z.string().describe('`acme/production/api-gateway`'),
    status,
    target: commitId,
    targetVersion: z.int().nullable(),
    rollbackOf: z.object({ commit: commitId, version: z.int().nullable() }),
    allowRemoval: z.boolean(),
    overrides: z.array(z.string()).optional(),
    justification: z.string(),
    message: z.string(),
    author: person,
    authenticated,
    authorIdentity: identity,
    createdAt: time,
    updatedAt: time,
    expiresAt: time.nullable(),
    follows: requestId.nullable(),
    supersedes: requestId.nullable(),
    supersededBy: requestId.nullable(),
    propose: z.literal(true).optional(),
    automatic: z
      .object({ revision: commitId, seen: z.string() })
      .optional()
      .describe(
        'Nobody asked for it but a worker that observes the cluster: which revision degraded, and what was seen.',
      ),
    incident: z.string().optional(),
    atomic: z.object({ first: requestId, members: z.array(requestId).optional() }).optional(),
    hold: z.object({ seconds: z.number().nullable() }).optional(),
    resume: z.literal(true).optional(),
    sign: z.literal(true).optional(),
    place: place.optional(),
    elsewhere: z.literal(true).optional(),
    config: z.object({ name: z.string(), text: z.string() }).nullable(),
    base: commitId,
    digest,
    rendered: z.string().nullable(),
    affectedServices: z.array(z.string()),
    gate: z.enum(['no-policy', 'break-glass']).nullable(),
    breakGlass: breakGlass.nullable(),
    approval,
    reviews: z.array(review),
    notes: z.array(note),
    proposed: proposed.nullable(),
    link: link.nullable(),
    pullRequest: pullRequest.optional(),
    reopened: z.object({ at: time, reason: z.string(), difference: z.array(z.string()) }).nullable(),
    result: result.nullable(),
    cancelled: z.object({ actor: person, at: time, reason: z.string().nullable() }).optional(),
    problems: z.array(z.string()).optional(),
  })
  .meta({ id: 'Request' });

export const destination = z.object({
  remote: z.string().nullable(),
  address: z.string(),
  branch: z.string(),
});

/** After a vote, or another try: with what the execution found. */
export const executedRequest = requestView
  .extend({ findings: z.array(finding).optional(), destination: destination.optional() })
  .meta({ id: 'ExecutedRequest' });

export const requestPlan = plan
  .extend({
    requestId,
    status,
    rendered: z
      .string()
      .nullable()
      .describe('Digest of the manifests, where approvals bind to them as well.'),
    may: z
      .object({ approve: permit, reject: permit, retry: permit, cancel: permit })
      .describe('What the caller may do with it now.'),
    changed: z.boolean().describe('It is not what reviewers are asked about.'),
  })
  .meta({ id: 'RequestPlan' });

export const requests = z
  .object({
    requests: z.array(requestView),
    next: z.string().nullable().describe('`cursor` of the next page; null: this is the last one.'),
  })
  .meta({ id: 'Requests' });

/** A request as people name it. */
export const requestParams = z.object({
  id: z.string().min(1).max(64).describe('`rbk-…`, or six or more characters of its beginning or end.'),
});

const states = z.preprocess(
  (given) => (typeof given === 'string' ? given.split(',') : given),
  z.array(z.enum([...REQUEST_STATUSES, 'open', 'all'])).max(12),
);

export const requestsQuery = z.strictObject({
  state: states
    .optional()
    .describe(
      'Several are separated by commas. `open`, as where it is absent: pending, approved, executing and failed.',
    ),
  tenant: z.string().min(1).max(255).optional().describe('`-`: those without a tenant.'),
  environment: environmentName.optional(),
  author: z.string().min(1).max(320).optional().describe('An email.'),
  incident: z.string().min(1).max(200).optional(),
  scope: z
    .string()
    .min(1)
    .max(1024)
    .optional()
    .describe('`[tenant/]environment[/service]`: what concerns it.'),
  key: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('The one that you asked for with this Idempotency-Key.'),
  ...pageQuery(z.string().min(1).max(64)),
});

const comment = z.string().max(100_000).nullish();
export const approveAsk = z
  .strictObject({
    comment,
    digest: digest.nullish().describe('Of the plan that was looked at: only that is approved.'),
    rendered: digest
      .nullish()
      .describe('`rendered` of that plan: the manifests too have to be those that were looked at.'),
  })
  .meta({ id: 'Approve' });
export const rejectAsk = z.strictObject({ comment }).meta({ id: 'Reject' });
export const cancelAsk = z.strictObject({ reason: comment }).meta({ id: 'Cancel' });
export const noteAsk = z
  .strictObject({ text: z.string().max(100_000), kind: z.enum(NOTE_KINDS).optional() })
  .meta({ id: 'NoteAsk' });
export const retryAsk = z.strictObject({}).meta({ id: 'Retry' });
