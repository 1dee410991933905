import type { Server } from 'node:net';
import { closeAfterFile } from '../run/lifetime.ts';

interface Closable extends Server {
  closeAllConnections(): void;
}

/** On a free port of loopback, until the end of the test file or `stop`. */
export async function listen(server: Closable): Promise<{ address: string; stop: () => Promise<void> }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  closeAfterFile(stop);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on a port');
  return { address: `127.0.0.1:${address.port}`, stop };
}
