/** What all routes have: the engine, who is calling, and the form of their descriptions. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifyTypeProvider,
  RawServerDefault,
} from 'fastify';
import type { z } from 'zod';
import { type Actor, BacktrailError, type Engine } from '../../engine/index.ts';
import type { Caller } from '../callers/caller.ts';
import type { Execution } from '../execution.ts';
import type { HelmSettings } from '../helm/release.ts';
import type { Keys } from '../idempotency.ts';
import { problem } from '../schemas/problem.ts';

/** What arrives has the type of its schema. What is answered is held to its schema by tests. */
export interface Typed extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
  serializer: unknown;
}

/** The server as routes see it. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  Typed
>;

/** Adds a set of calls. */
export type Routes = (app: App, input: RouteInput) => void;

export interface RouteInput {
  readonly engine: Engine;
  readonly execution: Execution;
  readonly keys: Keys;
  /** Releases that have names of their own. */
  readonly helm?: HelmSettings | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** An answer that is no JSON, or has a description of its own. */
interface Answered {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>>;
}

/** How long an answer waits for what comes of an execution: milliseconds. */
export const WAIT_MS = 30_000;

/** The answers of a call: its own, and the problem documents that every call may give. */
export function answers(own: Readonly<Record<number, z.ZodType | Answered>>) {
  const described = Object.entries(own).map(([status, schema]) => [
    status,
    'content' in schema
      ? schema
      : { description: MEANS[status] ?? 'The answer.', content: { 'application/json': { schema } } },
  ]);
  return { ...Object.fromEntries(described), '4XX': problemAnswer(), '5XX': problemAnswer() };
}

/** The same of a call whose answers are of commits. */
export function taggedAnswers(own: Readonly<Record<number, z.ZodType>>) {
  return { ...answers(own), 304: { description: 'It is what If-None-Match names.' } };
}

const MEANS: Readonly<Record<string, string>> = {
  200: 'The answer.',
  201: 'It was made.',
  202: 'It is under way.',
};

export const problemAnswer = () => ({
  description: 'A problem document (RFC 9457).',
  content: { 'application/problem+json': { schema: problem } },
});

/** Whoever calls below /api is known. */
export function callerOf({ caller }: FastifyRequest): Caller {
  if (caller === null) throw new BacktrailError('UNAUTHENTICATED', 'This call needs to know who makes it.');
  return caller;
}

/** What a caller is told of themselves. */
export const meOf = ({ person: { name, email, only }, how }: Caller) => ({
  person: { name, email },
  how,
  ...only,
});

/** Whose permission to read is asked. */
export const readerOf = (request: FastifyRequest): { readonly reader: Actor } => ({
  reader: callerOf(request).person,
});

/** An answer of commits: whoever has it already, to the byte, is told so. What the branch keeps or masks changes it as well. */
export function tagged<Value>(request: FastifyRequest, reply: FastifyReply, value: Value): Value | null {
  const etag = `"${createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 32)}"`;
  void reply.header('etag', etag).header('cache-control', 'private, no-cache');
  const known = request.headers['if-none-match']?.split(',').map((each) => each.trim().replace(/^W\//, ''));
  if (!known?.includes(etag)) return value;
  void reply.code(304);
  return null;
}
