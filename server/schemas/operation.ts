/** What probes are told. */
import { z } from 'zod';

export const health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });

export const readiness = z
  .object({
    status: z.enum(['ready', 'not ready']),
    checks: z.array(
      z.object({
        name: z.enum(['git', 'ledger', 'queue']),
        ok: z.boolean(),
        code: z.string().optional().describe('What is wrong, as in problem documents.'),
        detail: z.string().optional().describe('One sentence.'),
      }),
    ),
  })
  .meta({ id: 'Readiness' });

export const text = z.string();
