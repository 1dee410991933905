/** One reader of events: what they have not read yet waits here, up to a size. */
import type { FastifyReply } from 'fastify';

export interface StreamMessage {
  readonly id?: string;
  readonly event?: string;
  /** JSON; absent: it only says how far the ledger is. */
  readonly data?: string;
}

export interface Stream {
  send(message: StreamMessage): void;
  end(): void;
}

/** Characters that may wait for a reader: who is slower begins anew, from the last event that they got. */
const MOST_WAITING = 1_000_000;

/** Begins with the first message. */
export function openStream(
  reply: FastifyReply,
  { onSlow, onClose }: { readonly onSlow: () => void; readonly onClose: () => void },
): Stream {
  const { raw, sse } = reply;
  const { socket } = raw;
  const waiting: StreamMessage[] = [];
  let length = 0;
  let isSending = false;
  let isEnded = false;
  sse.keepAlive();
  raw.once('close', () => {
    isEnded = true;
    waiting.length = 0;
    onClose();
  });
  const pump = async () => {
    if (isSending) return;
    isSending = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (raw.writableEnded || raw.destroyed) break;
      // Ends when the reader has room again, and never where they went away: nothing else refers to it then.
      await sse.send({ ...next, data: next.data });
      length -= lengthOf(next);
    }
    isSending = false;
  };
  return {
    send: (message) => {
      if (isEnded) return;
      waiting.push(message);
      length += lengthOf(message);
      if (length > MOST_WAITING) {
        isEnded = true;
        onSlow();
        raw.destroy();
      } else void pump();
    },
    end: () => {
      isEnded = true;
      // A connection that could take another call would keep the server from ending.
      raw.end(() => socket?.end());
    },
  };
}

const lengthOf = ({ data = '' }: StreamMessage) => data.length + 200;
