/** What the load's processes tell each other. */
import { z } from 'zod';

const OPERATIONS = ['open', 'approve', 'reject', 'cancel', 'note'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** One call of an actor, and what came of it. */
const answerSchema = z.object({
  actor: z.string(),
  operation: z.enum(OPERATIONS),
  request: z.string(),
  /** Tip of the ledger where it is published, right before and right after the call. */
  before: z.string().nullable(),
  after: z.string().nullable(),
  /** Code of the refusal; null: accepted. */
  refused: z.string().nullable(),
  message: z.string(),
  /** Of the event, where the answer tells it: reviews and notes. */
  event: z.string().nullable(),
  milliseconds: z.number(),
});
export type Answer = z.infer<typeof answerSchema>;

/** From an actor's process to the one that started it. */
export const reportSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('answer'), answer: answerSchema }),
  z.object({ type: z.literal('done'), waits: z.number(), waitedMs: z.number() }),
]);
export type Report = z.infer<typeof reportSchema>;

export const orderSchema = z.object({
  /** Path or URL of the repository. */
  repo: z.string(),
  /** The git directory that holds the ledger. */
  directory: z.string(),
  cacheFolder: z.string(),
  actors: z.array(z.object({ email: z.string(), env: z.record(z.string(), z.string()), seed: z.number() })),
  allowedSigners: z.string(),
  services: z.number(),
  /** Requests that each actor opens, and calls that it makes besides. */
  opens: z.number(),
  others: z.number(),
});
export type Order = z.infer<typeof orderSchema>;

/** To an actor's process: begin, or a request that another person opened. */
export const newsSchema = z.union([z.object({ begin: z.literal(true) }), z.object({ opened: z.string() })]);
export type News = z.infer<typeof newsSchema>;

export const LEDGER = 'refs/backtrail/ledger';
