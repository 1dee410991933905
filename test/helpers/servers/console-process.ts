/**
 * A server with the page and a worker, in a process of its own that tests kill. Argument: JSON {redisUrl, repo, page, port, cacheFolder, holdAt}.
 * It writes one line of JSON when it listens, {url, token}, and one when a rollback is in the step `holdAt`, where it stays: {held}.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { openEngine } from '../../../engine/internal.ts';
import { startServer } from '../../../server/index.ts';
import { createLogger, executeInBatches, startWorker } from '../../../workers/index.ts';

const { redisUrl, repo, page, port, cacheFolder, holdAt } = z
  .object({
    redisUrl: z.string(),
    repo: z.string(),
    page: z.string(),
    port: z.number(),
    cacheFolder: z.string(),
    holdAt: z.string().optional(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));
const say = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`);
const clock = {
  now: () => Date.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};
const open = () =>
  openEngine({
    repo,
    env: process.env,
    cacheFolder,
    committer: { name: 'Backtrail', email: 'backtrail@localhost' },
    clock,
  });
const logger = createLogger({ name: 'server', destination: process.stderr });
const running = await startServer({
  engine: await open(),
  listen: { host: '127.0.0.1', port },
  person: { name: 'Jane Doe', email: 'jane@example.com' },
  state: join(tmpdir(), 'backtrail-no-state'),
  redisUrl,
  logger,
  version: '0.0.0',
  random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
  now: () => Date.now(),
  page,
});
const execute = executeInBatches(open);
startWorker({
  redisUrl,
  logger,
  execute: (input) =>
    execute({
      ...input,
      onStep: async (event) => {
        await input.onStep(event);
        if (event.step !== holdAt) return;
        say({ held: event.step });
        await new Promise<never>(() => undefined);
      },
    }),
});
say({ url: running.url, token: running.token });
