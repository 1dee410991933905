/** Who is calling: a person, and how the server knows that. */
import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../engine/index.ts';

export interface Caller {
  readonly person: Actor;
  readonly how: 'single-user' | 'token' | 'oidc';
  /** Never a secret: who is limited together, and what the log names. */
  readonly name: string;
  /** When the credentials end: milliseconds since 1970; absent: with the server. */
  readonly ends?: number;
}

export interface Callers {
  /**
   * Who sent it; null where it says nothing of that.
   *
   * @throws UNAUTHENTICATED for credentials that are no good
   */
  identify(request: FastifyRequest): Promise<Caller | null>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a call below /api. */
    caller: Caller | null;
    /** Of a call that mostly asks (`asks`): this time it wrote. */
    hasWritten?: boolean;
  }
}
