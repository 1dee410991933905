/** Webhooks that are sent as a server sends them, to real receivers, which verify them with the library of Standard Webhooks. */
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import type { Engine } from '../../../engine/internal.ts';
import { createWatcher } from '../../../server/events/watcher.ts';
import { createMetrics } from '../../../server/operation/metrics.ts';
import type { Sink } from '../../../server/webhooks/sink.ts';
import { createWebhooks, type WebhookSettings } from '../../../server/webhooks/webhooks.ts';
import { createLogger } from '../../../workers/index.ts';
import { ask } from '../../helpers/people/requests.ts';
import { JANE } from '../../helpers/repositories/engine.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';
import { closeAfterTest } from '../../helpers/run/lifetime.ts';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
export const POLICY = {
  environments: [
    { match: 'prod', quorum: 1, unsignedApprovals: true, breakGlass: { allowed: true, longest: '1h' } },
  ],
};

export interface Received {
  readonly id: string;
  readonly signature: string;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it, and its signature was verified
  readonly body: any;
}

export interface Receiver {
  readonly url: string;
  /** What was taken. */
  readonly taken: Received[];
  /** All attempts. */
  readonly heard: Received[];
  /** Instead of taking it; true: it was answered. */
  answer: (received: Received, response: ServerResponse) => boolean;
}

export async function receive(): Promise<Receiver> {
  const receiver: Receiver = { url: '', taken: [], heard: [], answer: () => false };
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const signature = String(request.headers['webhook-signature'] ?? '');
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      const body = signature === '' ? JSON.parse(text) : new Webhook(SECRET).verify(text, headers);
      const received = { id: headers['webhook-id'] ?? '', signature, text, body };
      receiver.heard.push(received);
      if (receiver.answer(received, response)) return;
      receiver.taken.push(received);
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeAfterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return Object.assign(receiver, { url: `http://127.0.0.1:${port}/in` });
}

export const sinkOf = ({ url }: { readonly url: string }, more: Partial<Sink> = {}): Sink => ({
  name: 'team',
  url,
  secrets: [SECRET],
  format: 'standard',
  environments: ['**'],
  events: ['*'],
  console: 'https://backtrail.example.com',
  allowPrivate: true,
  from: null,
  ...more,
});

export interface Running {
  readonly log: readonly string[];
  readonly folder: string;
  readonly metrics: () => Promise<string>;
  look(): void;
  close(): Promise<void>;
}

/** A folder that holds that nothing was sent yet, so that sinks begin now. */
export async function freshState(): Promise<string> {
  const folder = await temporaryFolder();
  await chmod(folder, 0o700);
  await writeFile(join(folder, 'webhooks.json'), '{"version":1,"sinks":{}}', { mode: 0o600 });
  return folder;
}

export async function send(
  sinks: readonly Sink[],
  { folder, of, ...settings }: Partial<WebhookSettings> & { readonly of: Engine },
): Promise<Running> {
  const log: string[] = [];
  const logger = createLogger({
    name: 'server',
    level: 'debug',
    destination: { write: (line) => void log.push(line) },
  });
  const watcher = createWatcher({ engine: of, logger });
  const metrics = createMetrics({ version: '0', now: Date.now });
  const state = folder ?? (await freshState());
  const webhooks = createWebhooks({
    sinks,
    folder: state,
    turn: null,
    engine: of,
    watcher,
    metrics,
    logger,
    version: '0',
    now: Date.now,
    backOff: () => 5,
    ...settings,
  });
  webhooks.start();
  let isClosed = false;
  const close = async () => {
    if (isClosed) return;
    isClosed = true;
    await webhooks.close();
    watcher.close();
  };
  closeAfterTest(close);
  return { log, folder: state, metrics: () => metrics.text(), look: () => watcher.look(), close };
}

export const isSending = ({ log }: Running) => log.some((line) => line.includes('sent by this server'));
export const typesOf = (all: readonly Received[]) => all.map(({ body }) => body.type);
export const idsOf = (all: readonly Received[]) => all.map(({ id }) => id);

/** `opened`, `noted` and `cancelled` of one request. */
export async function three(engine: Engine): Promise<string> {
  const { id } = await ask(engine, JANE, 'prod/api', { propose: true });
  await engine.requests.note({ id, actor: JANE, text: 'Pods crash' });
  await engine.requests.cancel({ id, actor: JANE });
  return id;
}
export const THREE = ['rollback.opened', 'rollback.noted', 'rollback.cancelled'];
