/** What the process of the people is told. */
import { z } from 'zod';

const personSchema = z.object({ name: z.string(), email: z.string() });
const envSchema = z.record(z.string(), z.string());

export const orderSchema = z.object({
  repo: z.string(),
  redisUrl: z.string(),
  cacheFolder: z.string(),
  allowedSigners: z.string(),
  author: personSchema,
  authorEnv: envSchema,
  approver: personSchema,
  approverEnv: envSchema,
  seed: z.number(),
  /** Numbers of the rollbacks to open. */
  from: z.number(),
  to: z.number(),
  /** Ids of failed requests to retry; with any, nothing is opened. */
  retry: z.array(z.string()),
});
export type Order = z.infer<typeof orderSchema>;

/** A line of its output. */
export const newsSchema = z.union([
  z.object({ opened: z.number() }),
  z.object({ retried: z.number() }),
  z.object({ trouble: z.string(), code: z.string(), message: z.string() }),
]);
