import * as z from 'zod';
import {
  BacktrailError,
  isObjectId,
  isProposedBranch,
  isRequestId,
  isWebAddress,
  MODES,
  STEPS,
  WAYS,
} from '../engine/model/index.ts';
import type { RequestId, RollbackResult, Step } from '../engine/model/index.ts';

/**
 * The payload of a job in the queue `rollbacks`: where the request is, and nothing that the ledger contains. Checked
 * before it is added and again before it is executed.
 */
export interface RollbackJob {
  readonly v: 2;
  readonly requestId: RequestId;
  /** An absolute path or a URL without credentials: a worker may run elsewhere and uses its own. */
  readonly repo: string;
}

/** One step that is done. `at` is ISO 8601. */
export interface RollbackProgress {
  readonly step: Step;
  readonly commit?: string;
  readonly deliveryCommit?: string | null;
  readonly at: string;
}

/** A job's progress: the last step, and each one before it, so that a reader that polls late or rarely misses none. */
export interface JobProgress extends RollbackProgress {
  readonly earlier: readonly RollbackProgress[];
}

// oxlint-disable-next-line no-control-regex -- control characters are what it refuses
const CONTROL = /[\u0000-\u001f\u007f]/;
const line = (limit: number) =>
  z
    .string()
    .min(1)
    .max(limit)
    .refine((text) => !CONTROL.test(text), 'must be one line without control characters');
const objectId = z.string().refine(isObjectId, 'must be a full commit id');
const requestId = z.string().refine(isRequestId, 'must be a request id, rbk- and 26 characters');
const count = z.int().min(0);

const jobSchema = z.strictObject({
  v: z.literal(2),
  requestId,
  repo: line(4096)
    .refine(isAddress, 'must be an absolute path or a URL')
    .refine((repo) => !holdsCredentials(repo), 'must not hold credentials: git on the worker brings its own'),
});

const resultSchema = z.object({
  requestId,
  status: z.enum(['completed', 'unchanged', 'pending', 'approved', 'executing', 'proposed', 'failed']),
  mode: z.enum(MODES),
  scope: z.string(),
  base: objectId,
  target: objectId,
  commit: objectId.nullable(),
  deliveryCommit: objectId.nullable(),
  digest: z.string(),
  findings: z.array(
    z.object({
      code: z.custom<RollbackResult['findings'][number]['code']>((code) => typeof code === 'string'),
      severity: z.enum(['block', 'warn', 'info']),
      message: z.string(),
      hint: z.string().exactOptional(),
      path: z.string().exactOptional(),
    }),
  ),
  proposed: z
    .object({
      via: z.enum(WAYS).exclude(['push']),
      branch: z.string().refine(isProposedBranch),
      into: line(1000),
    })
    .exactOptional(),
  pullRequest: z
    .object({
      number: count.min(1),
      url: z.string().refine(isWebAddress),
      state: z.enum(['open', 'closed', 'merged']),
      statusChecks: z.object({ total: count, passed: count, failed: count, pending: count }).nullable(),
    })
    .exactOptional(),
});

const stepSchema = z.object({
  step: z.enum(STEPS),
  commit: objectId.exactOptional(),
  deliveryCommit: objectId.nullable().exactOptional(),
  at: z.string(),
});
const progressSchema = stepSchema.extend({ earlier: z.array(stepSchema).max(STEPS.length) });

/** Throws INVALID_REQUEST, naming the fields that are wrong and never their values. */
export function parseJob(data: unknown): RollbackJob {
  const parsed = jobSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  if (isEarlier(data))
    throw new BacktrailError(
      'INVALID_REQUEST',
      'The rollback was queued by an earlier version, which kept no record of its request.',
      { hint: 'Ask for it again with `backtrail rollback --queue`.' },
    );
  const places = parsed.error.issues.map(
    ({ path, message }) => `${path.map(String).join('.') || 'job'}: ${message}`,
  );
  throw new BacktrailError(
    'INVALID_REQUEST',
    `The queued rollback is not valid: ${places.slice(0, 5).join('; ')}.`,
    {
      hint: 'Enqueue it with `backtrail rollback --queue` of the same version as the worker.',
    },
  );
}

const isEarlier = (data: unknown) => z.looseObject({ v: z.literal(1) }).safeParse(data).success;

/** A result that another process left in the queue. Throws INTERNAL where it is of another shape. */
export function parseResult(data: unknown): RollbackResult {
  const parsed = resultSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new BacktrailError('INTERNAL', 'The worker left a result that this version does not understand.', {
    hint: 'Run the same version of Backtrail on both sides; `backtrail log` shows what was published.',
  });
}

/** The completed steps, in order; empty without progress. */
export function parseProgress(data: unknown): readonly RollbackProgress[] {
  const { data: progress } = progressSchema.safeParse(data);
  if (progress === undefined) return [];
  const { earlier, ...last } = progress;
  return [...earlier, last].sort((a, b) => STEPS.indexOf(a.step) - STEPS.indexOf(b.step));
}

/** The progress after one more step; a step done again by another worker takes the place of the old one. */
export function addProgress(before: unknown, done: RollbackProgress): JobProgress {
  return { ...done, earlier: parseProgress(before).filter(({ step }) => step !== done.step) };
}

/** Absolute paths, URLs and git's `host:path`; never a transport helper such as `ext::sh -c …`. */
function isAddress(repo: string): boolean {
  if (/^[A-Za-z][\w+.-]*::/.test(repo)) return false;
  if (/^(?:https?|ssh|git|file|git\+ssh|ssh\+git):\/\//i.test(repo)) return true;
  return (
    repo.startsWith('/') || /^[A-Za-z]:[\\/]/.test(repo) || /^(?:[\w.-]+@)?[\w.-]+:(?!\/\/)[^:]/.test(repo)
  );
}

/** A user name alone is an address for ssh; for http it may be a token. */
function holdsCredentials(repo: string): boolean {
  const user = /^([a-z+]+):\/\/([^/]*)@/i.exec(repo);
  if (user === null) return false;
  return /^https?$/i.test(user[1] ?? '') || (user[2] ?? '').includes(':');
}
