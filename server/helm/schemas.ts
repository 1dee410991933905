/** What comes to the Helm-shaped calls, and goes from them. */
import { z } from 'zod';
import { rollbackOptions } from '../schemas/ask.ts';
import { time } from '../schemas/names.ts';
import { requestView } from '../schemas/request.ts';
import { HELM_STATUSES } from './history.ts';

export const releaseParams = z.object({
  releaseId: z
    .string()
    .min(1)
    .max(1024)
    .describe('`tenant~environment~service` (`-`: no tenant), or a name of `helm.releases`.'),
});

const revision = z
  .object({
    revision: z.int().describe('N of vN.'),
    updated: time,
    status: z.enum(HELM_STATUSES),
    chart: z.string().describe('`name-version`; empty where the service has none.'),
    app_version: z.string().describe('The tag of its first image.'),
    description: z.string(),
  })
  .meta({ id: 'HelmRevision' });

export const releaseHistory = z.array(revision).meta({ id: 'HelmHistory' });

export const historyQuery = z.strictObject({
  max: z.coerce.number().int().min(1).max(1000).default(256).describe('The newest so many.'),
});

const why = {
  justification: z.string().max(4000).nullish().describe('Behind the sentence that names the revision.'),
  digest: z.string().max(128).nullish().describe('Of the plan that was looked at.'),
  ...rollbackOptions,
};

export const rollbackAsk = z
  .strictObject({ targetRevision: z.int().min(1).max(1_000_000_000), ...why })
  .meta({ id: 'HelmRollbackAsk' });

export const lastSuccessfulAsk = z.strictObject(why).meta({ id: 'HelmLastSuccessfulAsk' });

export const release = revision
  .extend({
    release: z.string(),
    request: requestView.nullable().describe('As the ledger has it; null: there was nothing to do.'),
  })
  .meta({ id: 'HelmRelease' });
