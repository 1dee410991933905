/** The end of a server: calls that are under way end by themselves, as long as they do so in time. */
import type { FastifyInstance } from 'fastify';

/** Milliseconds: what still runs then is cut. A rollback that was approved is not lost: its request is in the ledger. */
const LONGEST_MS = 40_000;

export async function closeInTime(app: FastifyInstance, longestMs = LONGEST_MS): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), longestMs);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}

/** A connection whose call was under way when the server began to stop is not kept open for another one. To be called before calls are added. */
export function endConnections(app: FastifyInstance): void {
  let isStopping = false;
  app.addHook('preClose', async () => {
    isStopping = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (isStopping) void reply.header('connection', 'close');
  });
}
