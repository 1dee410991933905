/** Tools for one assistant, over the standard input and output of this process. */
import type { Readable, Writable } from 'node:stream';
import { once } from 'node:events';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { createMcpServer, type McpSettings } from './server.ts';

export interface StdioSettings extends McpSettings {
  readonly input: Readable;
  readonly output: Writable;
}

/** Bytes of one message. */
const LARGEST = 1_048_576;

/** Until the input ends. */
export async function serveOverStdio({ input, output, ...settings }: StdioSettings): Promise<void> {
  const ended = once(input, 'close');
  const handle = serveStdio(() => createMcpServer(settings), {
    transport: new StdioServerTransport(input, output, { maxBufferSize: LARGEST }),
    maxSubscriptions: 0,
  });
  await Promise.race([ended, once(input, 'end')]);
  await handle.close();
}
