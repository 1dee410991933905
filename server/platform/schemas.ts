/** What comes to the Platform-shaped calls, and goes from them. */
import { z } from 'zod';
import { deployment } from '../schemas/deployments.ts';
import { commitId, environmentName, person, serviceName, time } from '../schemas/names.ts';
import { pageQuery } from '../schemas/paging.ts';
import { finding } from '../schemas/plan.ts';
import { PLATFORM_STATUSES } from './view.ts';

const status = z.enum(PLATFORM_STATUSES).meta({ id: 'PlatformStatus' });
const { id, version, images, chart, notes, source, rolledBackBy, rollbackOf, requestId, verified } =
  deployment.shape;

export const platformDeployment = z
  .object({
    id,
    scope: z.string(),
    tenant: z.string().nullable(),
    environment: z.string(),
    service: z.string().nullable(),
    status,
    configCommit: commitId,
    version,
    imageTag: z.string().nullable().describe('Of its first image.'),
    images,
    chart,
    notes,
    migrations: z
      .array(z.string())
      .describe('Changes of data that came with it, which a rollback does not undo.'),
    source,
    deployedBy: person,
    createdAt: time,
    updatedAt: time,
    deployedAt: time.nullable(),
    rolledBackAt: time.nullable(),
    rolledBackBy,
    rollbackOf: rollbackOf.describe('Of a rollback: the older version that it returned to.'),
    requestId,
    verified,
  })
  .meta({ id: 'PlatformDeployment' });

export const platformHistory = z
  .object({
    deployments: z.array(platformDeployment),
    findings: z.array(finding).optional(),
    next: z.string().nullable().describe('`cursor` of the next page.'),
  })
  .meta({ id: 'PlatformHistory' });

export const platformExists = z
  .object({ exists: z.boolean(), deployment: platformDeployment.nullable() })
  .meta({ id: 'PlatformExists' });

export const tagParams = z.object({
  imageTag: z.string().min(1).max(500).describe('`v2.1.0`, `api:v2.1.0` or a digest; percent-encoded.'),
});

/** Which of several are meant. */
const tenant = z.string().min(1).max(255).optional().describe('`-`: those without a tenant.');
const within = { tenant, environment: environmentName.optional(), service: serviceName.optional() };
export const withinQuery = z.strictObject(within);

export const historyQuery = z.strictObject({ ...within, ...pageQuery(id, 20) });

const text = z.string().min(1).max(10_000);

export const rollbackNote = z.strictObject({ note: text.nullish() }).meta({ id: 'PlatformRollback' });

export const record = z
  .strictObject({
    tenant: tenant.nullable().describe('null, absent or `-`: no tenant.'),
    environment: environmentName,
    service: serviceName.nullish(),
    status: z.enum(['PROPOSED', 'PENDING', 'DEPLOYED', 'FAILED']).default('DEPLOYED'),
    configCommit: z.string().min(1).max(255).nullish().describe('A revision; the current one where absent.'),
    images: z.array(z.string().min(1).max(500)).max(500).nullish().describe('Besides those that it names.'),
    notes: text.nullish(),
    migrations: text.nullish(),
    rollbackOf: z
      .string()
      .min(1)
      .max(255)
      .nullish()
      .describe('Of a rollback: the record (`dep-…`) or the revision that it returned to.'),
  })
  .meta({ id: 'PlatformRecord' });
