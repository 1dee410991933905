/** What hosts answer, read: nothing of it is used that does not have its form. */
import { z } from 'zod';
import { BacktrailError, isObjectId } from '../model/index.ts';
import type { Connection } from './http.ts';

export interface HostName {
  readonly name: string;
  readonly scrub: Connection['scrub'];
}

const SHOWN = 300;

export const objectId = z.string().refine(isObjectId);
export const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const numbered = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
/** One line: names of people, branches, states. */
export const line = z
  .string()
  .max(1000)
  .regex(/^[^\p{Cc}\u2028\u2029]*$/u);
export const webUrl = line.max(2000).refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
});
/** ISO 8601; given in UTC. */
export const time = z
  .string()
  .max(64)
  .refine((text) => /^[0-9]{4}-/.test(text) && !Number.isNaN(Date.parse(text)))
  .transform((text) => new Date(text).toISOString());

/** @throws HOST_UNAVAILABLE where `data`, an answer, does not have its form */
export function readAnswer<Schema extends z.ZodType>(
  host: HostName,
  schema: Schema,
  data: unknown,
): z.output<Schema> {
  const read = schema.safeParse(data);
  if (read.success) return read.data;
  const path = read.error.issues[0]?.path.map(String).join('.').slice(0, 100) || 'all of it';
  throw new BacktrailError('HOST_UNAVAILABLE', `${host.name} gave an answer that cannot be read (${path}).`, {
    details: { host: host.name },
  });
}

/**
 * Of a list, what is ours: what others put beside it need not have a form that is known here.
 *
 * @throws HOST_UNAVAILABLE
 */
export function readOurs<Schema extends z.ZodType, Key extends z.ZodType>(
  host: HostName,
  data: unknown,
  { key, isOurs, schema }: { key: Key; isOurs: (key: z.output<Key>) => boolean; schema: Schema },
): z.output<Schema>[] {
  return readAnswer(host, z.array(z.unknown()), data)
    .filter((item) => {
      const read = key.safeParse(item);
      return read.success && isOurs(read.data);
    })
    .map((item) => readAnswer(host, schema, item));
}

/** An answer with a status that says no. `data`: its body, read as far as it can be. */
export function refusal(host: HostName, status: number, data: unknown): BacktrailError {
  const said = host.scrub(sayings(data).join(', ')).slice(0, SHOWN);
  const sentence = (what: string) => `${host.name} ${what} (${status})${said === '' ? '.' : `: ${said}`}`;
  const details = { host: host.name, status };
  if (status === 401)
    return new BacktrailError('HOST_DENIED', sentence('does not accept the token'), { details });
  if (status === 403)
    return new BacktrailError('HOST_DENIED', sentence('does not allow it to the token'), { details });
  if (status === 404)
    return new BacktrailError('HOST_DENIED', sentence('shows no such thing to the token'), { details });
  if (status >= 500)
    return new BacktrailError('HOST_UNAVAILABLE', `${host.name} answers with status ${status}.`, { details });
  return new BacktrailError('HOST_REFUSED', sentence('refuses it'), { details });
}

/** The status of a refusal that `refusal` made. */
export function statusOf(error: unknown): number | null {
  const status = error instanceof BacktrailError ? error.details['status'] : null;
  return typeof status === 'number' ? status : null;
}

/** null where the token may not see it, or it is not there. */
export async function unlessHidden<Value>(asked: Promise<Value>): Promise<Value | null> {
  try {
    return await asked;
  } catch (error) {
    if ([403, 404].includes(statusOf(error) ?? 0)) return null;
    throw error;
  }
}

/** What is an ornament is not worth a failure. */
export async function unlessRefused(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (statusOf(error) === null) throw error;
  }
}

export const alreadyMerged = ({ name }: HostName, number: number) =>
  new BacktrailError('HOST_REFUSED', `${name} has merged pull request ${number} already.`, {
    details: { host: name },
  });

/** Messages of an error: `{ message, errors: [{ message }] }` (GitHub, Gitea), `{ message: [] | { base: [] }, error }` (GitLab). */
function sayings(data: unknown, depth = 0): string[] {
  if (typeof data === 'string') {
    const plain = depth === 0 && /^\s*</.test(data) ? '' : data;
    const text = plain.replace(/[\p{Cc}\p{Cf}\s\u2028\u2029]+/gu, ' ').trim();
    return text === '' ? [] : [text.slice(0, SHOWN)];
  }
  if (depth > 4 || typeof data !== 'object' || data === null) return [];
  if (Array.isArray(data)) return data.slice(0, 10).flatMap((each) => sayings(each, depth + 1));
  const entries = Object.entries(data).slice(0, 20);
  const isTop = (key: string) => ['message', 'error', 'errors', 'error_description'].includes(key);
  const wanted = entries.filter(([key]) =>
    depth === 0 ? isTop(key) : key === 'message' || !('message' in data),
  );
  return wanted.flatMap(([, value]) => sayings(value, depth + 1));
}
