/** Messages to a receiver that verifies what it gets with the library of Standard Webhooks, and does not take the first attempt. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { say } from '../../narrate.ts';
import { deploy, freezeBranch, thawBranch } from '../happenings.ts';
import { claim } from '../run.ts';
import type { Example, Face, FaceStep, Prepared } from './face.ts';

const SECRET = `whsec_${Buffer.alloc(32, 'tour').toString('base64')}`;
const SERVICE = 'globex/production/search';
const LONGEST_MS = 60_000;

interface Received {
  readonly path: string;
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What was taken, and all attempts. */
const taken: Received[] = [];
const heard: Received[] = [];

async function prepare(folder: string): Promise<Prepared> {
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      const path = request.url ?? '';
      // It throws where the signature is not one by the secret, or is too old.
      new Webhook(SECRET).verify(text, headers);
      const received = { path, id: headers['webhook-id'] ?? '', body: JSON.parse(text) };
      heard.push(received);
      const isFirst = heard.length === 1;
      if (!isFirst) taken.push(received);
      response.writeHead(isFirst ? 503 : 204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  writeFileSync(join(folder, 'webhook-secret'), SECRET, { mode: 0o600 });
  const both = 'secret: webhook-secret, allowPrivate: true, environments: [globex/production]';
  return {
    configuration: `webhooks:
  - { name: incidents, url: "${url}/incidents", events: ["*"], console: "https://backtrail.example.com", ${both} }
  - { name: chat, url: "${url}/chat", format: slack, console: "https://backtrail.example.com", ${both} }
`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const at = (path: string) => taken.filter((each) => each.path === path);
const typesOf = (all: readonly Received[]) => all.map(({ body }) => body['type']);

/** Waits for what the receiver takes at a path. */
async function told(path: string, count: number): Promise<readonly Received[]> {
  for (const end = Date.now() + LONGEST_MS; at(path).length < count && Date.now() < end; ) await sleep(50);
  return at(path);
}

const ASK: FaceStep = {
  text: 'Jane asks for a rollback in production.',
  who: 'JANE',
  method: 'POST',
  path: '/api/v1/rollbacks',
  body: {
    tenant: 'globex',
    environment: 'production',
    service: 'search',
    targetSha: 'previous',
    justification: 'Searches time out <!channel>',
  },
  status: 201,
  keep: { SEARCH: 'request.id' },
};
const step = (act: string, status: number, who: 'JANE' | 'BOB' = 'BOB'): FaceStep => ({
  text: who === 'BOB' ? 'Bob approves it, and the branch takes no push.' : 'Jane has it tried again.',
  who,
  method: 'POST',
  path: `/api/v1/rollbacks/$SEARCH/${act}`,
  body: {},
  status,
});

export const webhooks: Face = {
  title: 'Webhooks',
  text: `The other way round: the server calls. [Webhooks](webhooks.md) says how; messages are those of
[Standard Webhooks](https://www.standardwebhooks.com), for a chat in the form that Slack takes. They come from the ledger, as \`GET /api/v1/events\` does, and are sent until they are taken.`,
  calls: [
    ['a message `rollback.…`, `break_glass.…`', 'an event of `GET /api/v1/events`'],
    ['`data.request`', '`GET /api/v1/rollbacks/{id}`, as of then'],
  ],
  prepare,
  run: async (stage) => {
    deploy(stage, SERVICE, 'v9.0.0');
    await stage.take(ASK);
    const [opened] = await told('/incidents', 1);
    claim(opened !== undefined, 'the receiver was told nothing');
    claim(heard.length === 2 && heard[0]?.id === opened.id, 'the second attempt has another id');
    freezeBranch(stage);
    await stage.take(step('approve', 500));
    thawBranch(stage);
    await stage.take(step('retry', 200, 'JANE'));
    const all = await told('/incidents', 5);
    const types = ['opened', 'approved', 'failed', 'retried', 'completed'].map((type) => `rollback.${type}`);
    claim(
      JSON.stringify(typesOf(all)) === JSON.stringify(types),
      `the receiver was told ${typesOf(all).join(', ')}`,
    );
    claim(new Set(all.map(({ id }) => id)).size === all.length, 'two messages have one id');
    const [chat] = await told('/chat', 1);
    claim(
      chat !== undefined && at('/chat').length === 1,
      'the chat was told something else than the failure',
    );
    const failed = all[2];
    claim(failed !== undefined, 'the receiver was not told of the failure');
    return [
      shown(
        'Jane asks for a rollback in production. The receiver answers 503 first, and gets it again with the same `webhook-id`.',
        opened,
      ),
      shown(
        'The branch takes no push when Bob has approved it. `rollback.approved` came before; `rollback.retried` and `rollback.completed` come after it.',
        failed,
      ),
      shown(
        'A chat that names no events is told of the failure alone. What people wrote is plain text there.',
        chat,
      ),
    ];
  },
};

function shown(text: string, { path, body }: Received): Example {
  say(text);
  const code = JSON.stringify(short(body), null, 2);
  say(`${code}\n`);
  const head = [
    `POST ${path}`,
    'webhook-id: msg_…',
    'webhook-timestamp: …',
    'webhook-signature: v1,…',
    'content-type: application/json',
  ];
  return { text, call: { language: 'http', code: `${head.join('\n')}\n\n${code}` } };
}

const KEPT: ReadonlySet<string> = new Set([
  'type',
  'timestamp',
  'data',
  'event',
  'actor',
  'name',
  'email',
  'identity',
  'request',
  'id',
  'scopeName',
  'status',
  'justification',
  'result',
  'code',
  'url',
]);

/** A part of it; all of what a chat gets. */
const short = (body: Received['body']): unknown =>
  'blocks' in body
    ? body
    : JSON.parse(
        JSON.stringify(body, (key, value: unknown) => (key === '' || KEPT.has(key) ? value : undefined)),
      );
