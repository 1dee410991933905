import * as z from 'zod';
import { BacktrailError, FAILURES, isFailure } from '../engine/model/index.ts';
import type { FailureCode } from '../engine/model/index.ts';
import { redact } from '../engine/model/failure.ts';

/**
 * How a failure crosses the queue: as JSON in the job's failure reason, without stack and cause, credentials taken out.
 * Both directions are total: whatever was thrown or stored becomes a failure with a code of the table.
 */
const LIMIT = 16 * 1024;

const schema = z.object({
  code: z.custom<FailureCode>((code) => typeof code === 'string' && Object.hasOwn(FAILURES, code)),
  message: z.string(),
  hint: z.string(),
  details: z.record(z.string(), z.unknown()),
});

export function encodeFailure(error: unknown): string {
  const { code, message, hint, details } = toFailure(error);
  const plain = { code, message: cut(redact(message)), hint: cut(redact(hint)), details: {} };
  try {
    const text = redact(JSON.stringify({ ...plain, details }));
    if (text.length <= LIMIT && schema.safeParse(JSON.parse(text)).success) return text;
  } catch {
    // Details that are not JSON, before or after redaction, are omitted: the code and the message must arrive.
  }
  return JSON.stringify(plain);
}

export function decodeFailure(text: string): BacktrailError {
  const { success, data } = schema.safeParse(parseJson(text));
  if (success) return new BacktrailError(data.code, data.message, { hint: data.hint, details: data.details });
  if (text.includes('stalled more than allowable limit'))
    return new BacktrailError('INTERNAL', 'Every worker that took this rollback ended before it was done.', {
      hint: "Read the workers' logs, and look at `backtrail log` before you run it again: it may have been published.",
    });
  return new BacktrailError('INTERNAL', `The queue says: ${cut(redact(text))}.`);
}

/**
 * The failure that an unknown thrown value stands for. Its message stays behind: those of parsers quote what they read,
 * which may be a secret.
 */
export function toFailure(error: unknown): BacktrailError {
  if (isFailure(error)) return error;
  const name = error instanceof Error ? error.name : typeof error;
  return new BacktrailError('INTERNAL', `Something unexpected happened in the worker (${cut(name)}).`, {
    hint: "The worker's log has details under the request's id; please report it.",
    cause: error,
  });
}

const cut = (text: string) => (text.length > 4000 ? `${text.slice(0, 4000)}…` : text);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
