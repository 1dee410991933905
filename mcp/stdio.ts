/** Tools for one assistant, over the standard input and output of this process. */
import type { Readable, Writable } from 'node:stream';
import { once } from 'node:events';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { BacktrailError } from '../engine/index.ts';
import { createMcpServer, type McpSettings } from './server.ts';

export interface StdioSettings extends McpSettings {
  readonly input: Readable;
  readonly output: Writable;
}

/** Bytes of one message. */
const LARGEST = 1_048_576;

/** Until the input ends, or nobody reads the output. @throws INVALID_REQUEST for a message that is too large: what comes after it cannot be told apart */
export async function serveOverStdio({ input, output, ...settings }: StdioSettings): Promise<void> {
  const ended = Promise.race([once(input, 'close'), once(input, 'end')]);
  const transport = new StdioServerTransport(input, output, { maxBufferSize: LARGEST });
  let isTooLarge = false;
  const handle = serveStdio(() => createMcpServer(settings), {
    transport,
    maxSubscriptions: 0,
    onerror: ({ message }) => {
      isTooLarge ||= message.startsWith('ReadBuffer exceeded');
    },
  });
  const closed = new Promise<void>((resolve) => {
    const { onclose } = transport;
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- it is no event target
    transport.onclose = () => {
      onclose?.();
      resolve();
    };
  });
  await Promise.race([ended, closed]);
  await handle.close();
  if (isTooLarge)
    throw new BacktrailError('INVALID_REQUEST', 'A message of the assistant is larger than one mebibyte.', {
      hint: 'Start it again: it has ended, as nothing tells where the next message begins.',
    });
}
