/** Who is calling, as the server takes them. */
import { z } from 'zod';
import { PERMISSIONS } from '../../engine/index.ts';
import { person } from './names.ts';

export const me = z
  .object({
    person,
    how: z.enum(['single-user', 'token', 'oidc']),
    scope: z
      .object({ allow: z.array(z.enum(PERMISSIONS)), in: z.array(z.string()) })
      .optional()
      .describe('Of an API token: it allows no more, and no more than the policy gives the person.'),
    groups: z
      .array(z.string())
      .optional()
      .describe('That the issuer names: in others of the policy the person does not count.'),
  })
  .meta({ id: 'Me' });
