/** Records of deployments: as `deployment record`, `list`, `show` and `exists` print them with `-o json`. */
import { z } from 'zod';
import { DEPLOYMENT_SOURCES, DEPLOYMENT_STATUSES } from '../../engine/index.ts';
import { rollbackOptions } from './ask.ts';
import { authenticated, commitId, person, time } from './names.ts';
import { next, pageQuery } from './paging.ts';
import { finding } from './plan.ts';
import { scopeNames, scopeQuery } from './scope.ts';

const deploymentId = z.string().regex(/^dep-[0-9A-HJKMNP-TV-Z]{26}$/, 'It is not the id of a record.');
/** As people write it: the engine says what is none. */
export const typedDeploymentId = z.string().min(1).max(64).describe('Or six or more characters of its end.');
const status = z.enum(DEPLOYMENT_STATUSES).meta({ id: 'DeploymentStatus' });

export const deployment = z
  .object({
    id: deploymentId,
    tenant: z.string().optional(),
    environment: z.string(),
    service: z.string().optional(),
    scope: z.string(),
    commit: commitId,
    version: z.int().nullable().describe('N of vN when it was recorded.'),
    images: z.array(z.string()),
    chart: z.string().nullable(),
    charts: z.array(z.string()),
    actor: person,
    authenticated,
    source: z.enum(DEPLOYMENT_SOURCES),
    status,
    notes: z.array(z.object({ at: time, actor: person, authenticated, text: z.string() })),
    migration: z.string().nullable(),
    createdAt: time,
    updatedAt: time,
    times: z.partialRecord(status, time).describe('When each status began.'),
    statusSource: z
      .enum(DEPLOYMENT_SOURCES)
      .nullable()
      .describe('Who gave it its status, where the record says so.'),
    automatic: z
      .object({ request: z.string().nullable(), refused: z.string().nullable() })
      .nullable()
      .describe('What became of a failure by itself: the rollback that was asked for, or why none was.'),
    supersededBy: deploymentId.nullable(),
    rolledBackBy: deploymentId.nullable(),
    rollbackOf: z.object({ commit: commitId, version: z.int().nullable() }).nullable(),
    requestId: z.string().nullable(),
    verified: z.boolean().describe('Signed by a key that is trusted here, of somebody who may record.'),
  })
  .meta({ id: 'Deployment' });

const findings = z.array(finding).optional();

export const deployments = z
  .object({ deployments: z.array(deployment), findings, next })
  .meta({ id: 'Deployments' });

export const deploymentExists = z
  .object({ image: z.string(), exists: z.boolean(), deployments: z.array(deployment), findings })
  .meta({ id: 'DeploymentExists' });

const statuses = z.preprocess(
  (given) => (typeof given === 'string' ? given.split(',') : given),
  z.array(status).max(DEPLOYMENT_STATUSES.length),
);
export const deploymentsQuery = z.strictObject({
  ...scopeQuery,
  tenant: scopeQuery.tenant.describe('`-`: no tenant. Without an environment: all that is of the tenant.'),
  status: statuses.optional().describe('Several: repeated, or with commas.'),
  ...pageQuery(deploymentId),
});

export const existsQuery = z.strictObject({
  image: z
    .string()
    .min(1)
    .max(500)
    .describe('`registry.example.com/api:v2.1.0`, `api:v2.1.0`, a tag or a digest.'),
});

const said = {
  images: z
    .array(z.string().min(1).max(500))
    .max(500)
    .optional()
    .describe('Besides those that the revision names.'),
  note: z.string().min(1).max(10_000).nullish(),
  migration: z
    .string()
    .min(1)
    .max(10_000)
    .nullish()
    .describe('A change of data that came with it, which a rollback does not undo.'),
};

export const deploymentRecord = z
  .strictObject({
    ...scopeNames,
    status,
    commit: z.string().min(1).max(255).nullish().describe('A revision; the current one where absent.'),
    ...said,
    id: typedDeploymentId.nullish().describe('The record whose next status it is.'),
    source: z.enum(['pipeline', 'api', 'observer']).default('api'),
  })
  .meta({ id: 'DeploymentRecord' });

const nextStatus = z.enum(DEPLOYMENT_STATUSES, {
  error: ({ input }) =>
    input === undefined ? 'Name the next status: notes and images are recorded together with it.' : undefined,
});
export const deploymentStatus = z
  .strictObject({ status: nextStatus, ...said })
  .meta({ id: 'DeploymentStatusChange' });

export const restorable = z
  .object({ deployment, reason: z.string().describe('The sentence that names the record.') })
  .meta({ id: 'Restorable' });

/** With what a rollback may be asked for besides its scope and target. */
export const restoreAsk = z
  .strictObject({
    justification: z.string().max(4000).nullish().describe('Behind the sentence that names the record.'),
    digest: z.string().max(128).nullish().describe('Of the plan that was looked at.'),
    ...rollbackOptions,
  })
  .meta({ id: 'RestoreAsk' });
