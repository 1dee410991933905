import type { FastifyRequest } from 'fastify';

/** What `Authorization: Bearer` holds, up to 16 KiB of it; undefined where there is no such header. */
export function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +([\w.~+/=-]{1,16384})$/i.exec(headers.authorization ?? '')?.[1];
}
