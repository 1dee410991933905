/** One call of /graphql, as resolvers see it. */
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLResolveInfo } from 'graphql';
import type { Actor } from '../../engine/index.ts';
import type { Key } from '../idempotency.ts';
import type { RouteInput } from '../routes/route.ts';

export interface Call {
  readonly input: RouteInput;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly person: Actor;
}

/** What the library hands on; it adds names of its own beside it. */
export interface Context {
  readonly call: Call;
}

/** Does the work of a mutation, with what follows from `Idempotency-Key` and from where it is in its document; null without that header. */
export function withKey<Value>(
  { input, request, reply }: Call,
  { path }: GraphQLResolveInfo,
  work: (key: Key | null) => Promise<Value>,
): Promise<Value> {
  return input.keys.once(request, reply, (key) => {
    request.hasWritten = true;
    return work(
      key && { ...key, hash: createHash('sha256').update(key.hash).update(String(path.key)).digest() },
    );
  });
}
