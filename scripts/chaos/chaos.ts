/** Many rollbacks while everything around them breaks; then the question whether each of them is there, once, and right. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { allowedSigners, makeSomebody, type Somebody } from '../people.ts';
import { startBot } from './bot.ts';
import { countPushes, fsckProblems, type Pushes, readLanded } from './check.ts';
import { type Ends, judgeEnds } from './ends.ts';
import { checkLedger } from './ledger/check.ts';
import { newsSchema, type Order } from './order.ts';
import { allAsked, troubleAt } from './plan.ts';
import { startTroubledRedis } from './redis.ts';
import { makeRemote } from './repository.ts';
import { type State, writeState } from './state.ts';
import { mend, type Stage, trouble } from './troubles.ts';
import { type Watch, watchLedger } from './watch.ts';
import { hasSmallDisks, startWorkers, WITH_PARENT } from './workers.ts';

export interface ChaosOptions {
  readonly folder: string;
  /** A new one, or what an earlier run left in the folder. */
  readonly state: State;
  /** The built command line, and the people's program where it is compiled already. */
  readonly program: string;
  readonly opener?: string;
  readonly say: (line: string) => void;
}

export interface ChaosReport extends Omit<State, 'version' | 'opened' | 'problems'>, Ends, Pushes {
  readonly events: number;
  readonly perSecond: number;
}

/** Without any news for so long, whatever is left is stuck. Clocks are three minutes apart, and attempts wait for a minute. */
const STUCK_MS = 300_000;
const LOOK_MS = 1000;
/** On a slow machine nothing would ever be done between two troubles. */
const PATIENCE_MS = 25_000;
/** Troubles end when so few are left. */
const LEFT = 0.02;

const isOver = (status: string) => !['pending', 'approved', 'executing'].includes(status);

export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { folder, state, say } = options;
  const directory = join(folder, 'config.git');
  const started = performance.now() - state.seconds * 1000;
  const save = () => {
    state.seconds = (performance.now() - started) / 1000;
    writeState(folder, state);
  };
  state.starts += 1;
  // A remote that is there in part only was never used.
  if (state.opened === 0 && state.troubles === 0 && !existsSync(join(folder, 'ready'))) {
    makeRemote(directory, state);
    writeFileSync(join(folder, 'ready'), '');
  }
  mend(directory);
  save();
  const redis = await startTroubledRedis();
  const place = placeOf(folder, directory, redis.url);
  const workers = startWorkers({
    ...place,
    count: state.workers,
    program: options.program,
    diskBytes: diskOf(state),
  });
  const bot = startBot(folder, place.repo, state.bot);
  const people = startPeople({ ...options, place });
  const watch = watchLedger(directory);
  const stage: Stage = { directory, redis, workers, killOpener: () => people.kill() };
  try {
    await withTroubles({ state, stage, save, say, people, watch });
    mend(directory);
    // What waits for its next attempt is found in the ledger at once.
    await redis.flush();
    say(`no more troubles after ${state.troubles}: ${summary(watch)}`);
    await untilOver({ watch, state, save });
    await retryFailed({ people, watch, state, save });
    save();
    const problems = [...state.problems, ...(await queueProblems(() => redis.open()))];
    for (const mirror of workers.mirrors()) problems.push(...fsckProblems(mirror, folder));
    problems.push(...(await workers.stop()));
    await bot.stop();
    return await judge(folder, state, watch, problems);
  } finally {
    people.stop();
    await Promise.all([bot.stop(), workers.stop()]);
    await redis.stop();
    writeState(folder, state);
  }
}

type Place = ReturnType<typeof placeOf>;

function placeOf(folder: string, directory: string, redisUrl: string) {
  const name = (email: string) => email.split('@')[0] ?? '';
  const person = (email: string) =>
    knownSomebody(join(folder, `home-${name(email)}`), { name: name(email), email, signs: true });
  const [jane, bob] = [person('jane@example.com'), person('bob@example.com')];
  const signers = join(folder, 'allowed_signers');
  writeFileSync(signers, allowedSigners([jane, bob]));
  return { folder, repo: `file://${directory}`, redisUrl, allowedSigners: signers, jane, bob };
}

const somebodySchema = z.object({
  account: z.string(),
  name: z.string(),
  email: z.string(),
  env: z.record(z.string(), z.string()),
  key: z.string().nullable(),
});

/** Their keys are kept from one start to the next. */
function knownSomebody(home: string, of: { name: string; email: string; signs: boolean }): Somebody {
  const file = join(home, 'somebody.json');
  if (existsSync(file)) return somebodySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const made = makeSomebody(home, of);
  writeFileSync(file, JSON.stringify(made));
  return made;
}

/** Room for three copies of the remote, and not for a ballast of its size. */
const diskOf = ({ rollbacks }: State): number | null =>
  hasSmallDisks() ? (40 + Math.ceil(rollbacks / 25)) * 2 ** 20 : null;

interface People {
  /** Resolves when all is opened. */
  readonly opened: Promise<void>;
  kill(): void;
  retry(ids: readonly string[]): Promise<void>;
  stop(): void;
}

/** Started again from the last whole batch whenever they are killed. */
function startPeople({
  state,
  place,
  folder,
  opener,
  say,
}: ChaosOptions & { readonly place: Place }): People {
  const { jane, bob, repo, redisUrl, allowedSigners: signers } = place;
  let child: ChildProcess | null = null;
  let stopped = false;
  const run = async (retry: readonly string[]): Promise<void> => {
    const order: Order = {
      repo,
      redisUrl,
      cacheFolder: join(folder, 'cache-people'),
      allowedSigners: signers,
      author: { name: jane.name, email: jane.email },
      authorEnv: jane.env,
      approver: { name: bob.name, email: bob.email },
      approverEnv: bob.env,
      seed: state.seed,
      from: state.opened,
      to: state.rollbacks,
      retry: [...retry],
    };
    const loader = opener === undefined ? ['--import', import.meta.resolve('tsx')] : [];
    const args = ['--import', WITH_PARENT, ...loader, opener ?? OPENER, JSON.stringify(order)];
    const own = spawn(process.execPath, args, { env: process.env, stdio: ['pipe', 'pipe', 'inherit'] });
    child = own;
    own.stdin.on('error', () => undefined);
    for await (const line of createInterface({ input: own.stdout })) {
      const news = newsSchema.parse(JSON.parse(line));
      if ('opened' in news) state.opened = news.opened;
      else if ('retried' in news) state.retried += news.retried;
      else {
        const key = `${news.trouble} ${news.code}`;
        if (state.refusals[key] === undefined) say(`${key}: ${news.message}`);
        state.refusals[key] = (state.refusals[key] ?? 0) + 1;
        if (news.code === 'UNFORESEEN' || news.code === 'INTERNAL') state.problems.push(news.message);
      }
    }
    if (own.exitCode === null && own.signalCode === null) await once(own, 'exit');
    if (own.exitCode === 0 || stopped) return;
    if (own.exitCode !== null) say(`the people’s process ended with ${own.exitCode}`);
    await sleep(200);
    await run(retry);
  };
  return {
    opened: run([]),
    kill: () => void child?.kill('SIGKILL'),
    retry: (ids) => run(ids),
    stop() {
      stopped = true;
      child?.kill('SIGKILL');
    },
  };
}

const OPENER = fileURLToPath(new URL('opener.ts', import.meta.url));

interface Run {
  readonly state: State;
  readonly stage: Stage;
  readonly people: People;
  readonly watch: Watch;
  readonly save: () => void;
  readonly say: (line: string) => void;
}

/** One after the other, until few rollbacks are left. */
async function withTroubles({ state, stage, people, watch, save, say }: Run): Promise<void> {
  let isOpened = false;
  void people.opened.then(() => (isOpened = true));
  const few = Math.max(3, state.rollbacks * LEFT);
  const isNearlyOver = () =>
    watch.look() &&
    isOpened &&
    [...watch.known.values()].filter(({ status }) => isOver(status)).length >= state.rollbacks - few;
  for (let told = 0; ; ) {
    const turn = troubleAt(state.seed, state.troubles);
    const before = progressOf(watch);
    await sleep(turn.waits * state.pace);
    for (let waited = 0; waited < PATIENCE_MS * state.pace; waited += LOOK_MS) {
      if (isNearlyOver()) return;
      if (progressOf(watch) >= before + turn.steps) break;
      await sleep(LOOK_MS);
    }
    const done = await trouble({ ...turn, lasts: turn.lasts * state.pace }, stage);
    const what = done ? turn.trouble : `${turn.trouble} (not possible here)`;
    state.kinds[what] = (state.kinds[what] ?? 0) + 1;
    state.troubles += 1;
    save();
    if (state.seconds - told < 10) continue;
    told = state.seconds;
    say(`${told.toFixed(0)} s: ${state.opened} opened, ${state.troubles} troubles; ${summary(watch)}`);
  }
}

/** Requests that are there, and those that are over. */
const progressOf = ({ known }: Watch): number =>
  known.size + [...known.values()].filter(({ status }) => isOver(status)).length;

const summary = ({ known }: Watch): string => {
  const counts = new Map<string, number>();
  for (const { status } of known.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${status}`).join(', ');
};

/** Until none is open, or nothing happens any more. */
async function untilOver({ watch, state, save }: Pick<Run, 'watch' | 'state' | 'save'>): Promise<void> {
  let [last, since] = ['', performance.now()];
  while (performance.now() - since < STUCK_MS) {
    watch.look();
    const over = [...watch.known.values()].filter(({ status }) => isOver(status)).length;
    if (over >= state.rollbacks) return;
    if (summary(watch) !== last) [last, since] = [summary(watch), performance.now()];
    await sleep(LOOK_MS);
    save();
  }
}

/** As a person would: what failed for another reason than that the server never takes it. */
async function retryFailed({ people, watch, state, save }: Pick<Run, 'people' | 'watch' | 'state' | 'save'>) {
  const refused = new Set(
    allAsked(state.seed, state.rollbacks).flatMap((each) => (each.refused ? [each.id] : [])),
  );
  const failed = [...watch.known].filter(([id, { status }]) => status === 'failed' && !refused.has(id));
  if (failed.length === 0) return;
  for (const [, { code }] of failed) {
    const key = `failed ${code}`;
    state.refusals[key] = (state.refusals[key] ?? 0) + 1;
  }
  await people.retry(failed.map(([id]) => id));
  await untilOver({ watch, state, save });
}

/** Jobs of rollbacks that are over end by themselves. */
async function queueProblems(open: () => Promise<number>): Promise<string[]> {
  let left = 0;
  for (let tries = 0; tries < 120; tries += 1) {
    left = await open();
    if (left === 0) return [];
    await sleep(LOOK_MS);
  }
  return [`${left} jobs are still in the queue`];
}

async function judge(
  folder: string,
  state: State,
  watch: Watch,
  found: readonly string[],
): Promise<ChaosReport> {
  const directory = join(folder, 'config.git');
  watch.look();
  const asked = allAsked(state.seed, state.rollbacks);
  const landed = readLanded(directory, asked);
  const ends = judgeEnds(asked, watch.known, landed);
  const ledger = checkLedger(directory, []);
  const { version: _, opened: __, ...told } = state;
  return {
    ...told,
    ...countPushes(directory, landed),
    events: ledger.events,
    perSecond: landed.length / state.seconds,
    ends: ends.ends,
    problems: [...found, ...ends.problems, ...ledger.problems, ...fsckProblems(directory, folder)],
  };
}
