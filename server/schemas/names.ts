/** Names in addresses and bodies. What they may hold is the engine's to say; here only what no name can be. */
import { z } from 'zod';
import { AUTHENTICATIONS, MODES } from '../../engine/index.ts';

const name = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^/\0]+$/, 'A name holds no slash.');

/** `-` stands for none. */
const tenantParam = name.describe('`-` stands for no tenant.');
export const environmentName = name;
export const serviceName = name;
export const commitId = z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/);
export const time = z.iso.datetime();
export const person = z.object({ name: z.string(), email: z.string() }).meta({ id: 'Person' });
/** How a server knew who acted. */
export const authenticated = z
  .object({
    how: z.enum(AUTHENTICATIONS),
    by: z.string().nullable().describe('The id of the token, or the issuer.'),
  })
  .optional()
  .describe('Absent: whoever acted wrote it themselves.');
export const mode = z.enum(MODES);

export const environmentParams = z.object({ tenant: tenantParam, environment: environmentName });
export const serviceParams = environmentParams.extend({ service: serviceName });

/** `acme/production/api` of the parts of an address. */
export const scopeOf = ({
  tenant,
  environment,
  service,
}: z.infer<typeof environmentParams> & { readonly service?: string | undefined }): string =>
  [tenant === '-' ? undefined : tenant, environment, service].filter((part) => part !== undefined).join('/');

/** A parameter that may be repeated. */
export const list = z.preprocess(
  (given) => (typeof given === 'string' ? [given] : given),
  z.array(z.string().min(1).max(1024)).max(1000),
);
