/** How often one address and one caller may call; what is too much is refused until the minute is over. */
import { isIP } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BacktrailError } from '../engine/index.ts';
import type { CallLimits } from './settings/configuration.ts';

/** Each is one more call. @throws TOO_MANY_CALLS */
export interface Limiter {
  /** From an address, before anybody is asked who they are. */
  arrived(request: FastifyRequest): Promise<void>;
  /** With credentials that are no good, or without any: others from the same address are not kept out by it. */
  refused(request: FastifyRequest): Promise<void>;
  /** Of whoever calls, wherever from. */
  known(request: FastifyRequest): Promise<void>;
}

const MINUTE_MS = 60_000;

/** Where a call comes from, as a trusted proxy says; the proxy's own address where it says something else. */
export const addressOf = ({ ip, socket }: FastifyRequest): string =>
  isIP(ip) === 0 ? (socket.remoteAddress ?? '') : ip;

export async function createLimiter(app: FastifyInstance, limits: CallLimits): Promise<Limiter> {
  await app.register(rateLimit, { global: false });
  const counter = (max: number | null, keyOf: (request: FastifyRequest) => string = addressOf) => {
    if (max === null) return () => Promise.resolve();
    const count = app.createRateLimit({ max, timeWindow: MINUTE_MS, keyGenerator: keyOf });
    return async (request: FastifyRequest) => {
      const counted = await count(request);
      if (!counted.isAllowed && counted.isExceeded) throw tooMany(counted.ttlInSeconds);
    };
  };
  return {
    arrived: counter(limits.address),
    refused: counter(limits.refused),
    known: counter(limits.caller, (request) => request.caller?.name ?? addressOf(request)),
  };
}

/** `details.retryAfter`: seconds. */
const tooMany = (seconds: number) =>
  new BacktrailError('TOO_MANY_CALLS', 'These are more calls than are answered in a minute.', {
    details: { retryAfter: Math.max(1, seconds) },
  });
