/**
 * `Idempotency-Key`: the same call again is the same act. What a key made lives with what was made, under an id that follows from the key, so that
 * it survives a restart; here is only what is under way, and of a while how the bodies read.
 */
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BacktrailError, deriveRequestId, emailKey, type Engine, type RequestId } from '../engine/index.ts';

export interface Key {
  /** 32 bytes that follow from person, call and key: ids are derived from them. */
  readonly hash: Uint8Array;
  /** Says that this call did nothing anew. */
  readonly replayed: () => void;
}

export interface Keys {
  /**
   * Does the work of a call, which gets its key; null where it has none. Two calls with one key are never under way together here.
   *
   * @throws KEY_BUSY while the first is under way; KEY_REUSED where the key was used for another body, as far as that is known here: the work
   * compares with what the record holds; INVALID_REQUEST for a key that is none
   */
  once<Value>(
    request: FastifyRequest,
    reply: FastifyReply,
    work: (key: Key | null) => Promise<Value>,
  ): Promise<Value>;
}

const KEY_HEADER = 'idempotency-key';
/** Set where an answer is that of an earlier call. */
export const REPLAYED_HEADER = 'idempotent-replayed';

/** Keys whose bodies are remembered. */
const MOST = 10_000;

/** Keys are a person's, by whichever of their addresses they call. */
export function createKeys(engine: { readonly requests: Pick<Engine['requests'], 'personId'> }): Keys {
  const busy = new Set<string>();
  const bodies = new Map<string, string>();
  const remember = (name: string, body: string) => {
    bodies.set(name, body);
    for (const oldest of bodies.keys()) {
      if (bodies.size <= MOST) return;
      bodies.delete(oldest);
    }
  };
  return {
    once: async (request, reply, work) => {
      const text = keyIn(request);
      if (text === null) return work(null);
      const email = await engine.requests.personId(request.caller?.person.email ?? '');
      const hash = hashOf(`${request.method} ${request.routeOptions.url ?? ''}`, { email, key: text });
      const name = hash.toString('hex');
      const body = digestOf([canonical(request.params), canonical(request.body)]).toString('hex');
      if (busy.has(name))
        throw new BacktrailError('KEY_BUSY', 'The first call with this Idempotency-Key is still under way.');
      if (bodies.has(name) && bodies.get(name) !== body) throw keyReused();
      busy.add(name);
      try {
        const value = await work({ hash, replayed: () => void reply.header(REPLAYED_HEADER, 'true') });
        remember(name, body);
        return value;
      } finally {
        busy.delete(name);
      }
    },
  };
}

/** Ids that follow from a key: of the record, the session and the event that the call makes. */
export const idsOf = ({ hash }: Key) => {
  const id = deriveRequestId(hash);
  return {
    deployment: id.replace('rbk', 'dep'),
    session: id.replace('rbk', 'bgs'),
    event: id.replace('rbk', 'evt'),
  };
};

/** The id of the rollback that a person asked for with this key; `email`: that of the person (`requests.personId`). */
export const requestIdOf = (asked: { readonly email: string; readonly key: string }): RequestId =>
  deriveRequestId(hashOf('POST /api/v1/rollbacks', asked));

const hashOf = (call: string, { email, key }: { readonly email: string; readonly key: string }) =>
  digestOf(['idempotency-key', call, emailKey(email), key]);

export const keyReused = (): BacktrailError =>
  new BacktrailError('KEY_REUSED', 'This Idempotency-Key was used for another body.');

const digestOf = (parts: readonly string[]) => createHash('sha256').update(JSON.stringify(parts)).digest();

/** @throws INVALID_REQUEST */
function keyIn({ headers }: FastifyRequest): string | null {
  const given = headers[KEY_HEADER];
  if (given === undefined) return null;
  if (typeof given === 'string' && /^[\x21-\x7e]{1,255}$/.test(given)) return given;
  throw new BacktrailError(
    'INVALID_REQUEST',
    'An Idempotency-Key is 1 to 255 visible ASCII characters, without spaces.',
  );
}

/** JSON with the keys in order. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, each: unknown) =>
      typeof each === 'object' && each !== null && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
        : each,
    ) ?? ''
  );
}
