/** Many actors on one ledger at once, then a look at what is left. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allowedSigners, makeSomebody, type Somebody } from '../../people.ts';
import { type Answer, type News, type Order, reportSchema } from './answers.ts';
import { type Checked, checkLedger } from './check.ts';
import { makeRepository } from './repository.ts';

export interface LoadOptions {
  readonly requests: number;
  /** Calls besides those that open requests, for each request. */
  readonly others: number;
  readonly actors: number;
  readonly processes: number;
  readonly seed: number;
  /** The repository is a bare remote, and every process has a mirror of it in one of two cache folders. */
  readonly remote: boolean;
  /** The program of an actor, where it is compiled already. */
  readonly program?: string;
}

export interface LoadResult extends Checked {
  readonly answers: readonly Answer[];
  readonly seconds: number;
  /** Times that an engine slept before it tried an append again. */
  readonly waits: number;
  readonly waitedMs: number;
}

const ACTOR = fileURLToPath(new URL('actor.ts', import.meta.url));

export async function ledgerLoad(options: LoadOptions): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'backtrail-load-'));
  const children: ChildProcess[] = [];
  try {
    const directory = join(folder, 'config.git');
    // Several requests a service, so that newer ones supersede older ones.
    const services = Math.max(1, Math.ceil(options.requests / 3));
    makeRepository(directory, services);
    const people = Array.from({ length: options.actors }, (_, index) =>
      makeSomebody(join(folder, `actor-${index}`), {
        name: `Actor ${index}`,
        email: `actor-${index}@example.com`,
        signs: true,
      }),
    );
    const signers = join(folder, 'allowed_signers');
    writeFileSync(signers, allowedSigners(people));
    const orders = makeOrders(options, people, { directory, folder, signers, services });
    const { answers, ...figures } = await run(orders, children, options.program);
    return { ...checkLedger(directory, answers), ...figures, answers };
  } finally {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function makeOrders(
  { requests, others, actors, processes, seed, remote }: LoadOptions,
  people: readonly Somebody[],
  place: { directory: string; folder: string; signers: string; services: number },
): Order[] {
  return Array.from({ length: processes }, (_, index) => ({
    repo: remote ? `file://${place.directory}` : place.directory,
    directory: place.directory,
    cacheFolder: join(place.folder, remote ? `cache-${index % 2}` : 'cache'),
    actors: people
      .map(({ email, env }, number) => ({ email, env, seed: seed + number }))
      .filter((_, number) => number % processes === index),
    allowedSigners: place.signers,
    services: place.services,
    opens: Math.ceil(requests / actors),
    others: Math.ceil((requests * others) / actors),
  }));
}

/** All begin at the same moment. */
async function run(orders: readonly Order[], children: ChildProcess[], program?: string) {
  const answers: Answer[] = [];
  const figures = { seconds: 0, waits: 0, waitedMs: 0 };
  let [ready, started] = [0, 0];
  // A process that just ended needs no news: whether it ended well is asked of its exit code.
  const tell = (news: News) =>
    children.forEach((child) => child.connected && child.send(news, () => undefined));
  const ends = orders.map(async (order) => {
    const execArgv = program === undefined ? ['--import', import.meta.resolve('tsx')] : [];
    const child = fork(program ?? ACTOR, [JSON.stringify(order)], { execArgv });
    children.push(child);
    child.on('message', (message) => {
      const report = reportSchema.parse(message);
      if (report.type === 'answer') {
        answers.push(report.answer);
        const { operation, refused, request: opened } = report.answer;
        if (operation === 'open' && refused === null) tell({ opened });
      } else if (report.type === 'done') {
        figures.waits += report.waits;
        figures.waitedMs += report.waitedMs;
      } else if ((ready += 1) === orders.length) {
        started = performance.now();
        tell({ begin: true });
      }
    });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`A process of actors ended with ${code ?? child.signalCode}.`);
  });
  await Promise.all(ends);
  return { answers, ...figures, seconds: (performance.now() - started) / 1000 };
}

export function loadText({
  answers,
  events,
  requests,
  seconds,
  waits,
  waitedMs,
  problems,
}: LoadResult): string {
  const accepted = answers.filter(({ refused }) => refused === null);
  const times = accepted.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  const at = (share: number) =>
    (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(0);
  return [
    `${events} events of ${requests} requests in ${seconds.toFixed(1)} s: ${(events / seconds).toFixed(1)} events/s`,
    `${answers.length} calls: ${accepted.length} accepted, ${counted(answers.map(({ refused }) => refused))}`,
    `accepted calls took ${at(0.5)} ms (median), ${at(0.99)} ms (p99), ${at(1)} ms (slowest)`,
    `${waits} retries, which waited ${(waits === 0 ? 0 : waitedMs / waits).toFixed(0)} ms on average`,
    ...problems.slice(0, 20).map((problem) => `PROBLEM: ${problem}`),
    problems.length === 0
      ? 'The ledger is one line from one root, git fsck finds nothing, every acknowledged event is there once, every file is the fold of its events, and every answer was right at some moment of its call.'
      : `${problems.length} problems.`,
  ].join('\n');
}

function counted(codes: readonly (string | null)[]): string {
  const counts = new Map<string, number>();
  for (const code of codes) if (code !== null) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([code, count]) => `${count} ${code}`).join(', ') || 'none refused';
}
