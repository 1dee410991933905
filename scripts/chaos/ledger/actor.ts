/** Some actors in a process of their own, all at once: each opens requests and meddles with those of everybody. Argument: an order. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, isFailure, makeRequestId, openEngine } from '../../../engine/internal.ts';
import {
  type Answer,
  LEDGER,
  type News,
  newsSchema,
  type Operation,
  orderSchema,
  type Report,
} from './answers.ts';
import { generator } from '../random.ts';

const order = orderSchema.parse(JSON.parse(process.argv[2] ?? ''));
const MEDDLING: readonly Operation[] = ['approve', 'approve', 'approve', 'reject', 'cancel', 'note'];

const known: string[] = [];
let waits = 0;
let waitedMs = 0;
const clock = {
  now: () => Date.now(),
  /** The engine sleeps before it tries an append again. */
  sleep: (ms: number) => {
    waits += 1;
    waitedMs += ms;
    return new Promise<void>((resolve) => setTimeout(resolve, ms));
  },
};

const begin = new Promise<void>((resolve) => {
  process.on('message', (message) => {
    const news: News = newsSchema.parse(message);
    if ('begin' in news) resolve();
    else know(news.opened);
  });
});

const people = await Promise.all(
  order.actors.map(async ({ email, env, seed }) => ({
    email,
    random: generator(seed),
    engine: await openEngine({
      repo: order.repo,
      env,
      cacheFolder: order.cacheFolder,
      committer: { name: 'Backtrail', email: 'backtrail@localhost' },
      clock,
      random: (bytes) => randomBytes(bytes),
      allowedSigners: order.allowedSigners,
    }),
  })),
);
tell({ type: 'ready' });
await begin;
await Promise.all(people.map(act));
tell({ type: 'done', waits, waitedMs });
await Promise.all(people.map(({ engine }) => engine.close()));
process.disconnect?.();

function know(id: string): void {
  if (!known.includes(id)) known.push(id);
}

interface Actor {
  readonly email: string;
  readonly engine: Engine;
  readonly random: (below: number) => number;
}

async function act(actor: Actor): Promise<void> {
  let { opens, others } = order;
  while (opens + others > 0) {
    // No one has anything to meddle with before the first request is there.
    const isOpen = actor.random(opens + others) < opens || known.length === 0;
    if (isOpen && opens > 0) opens -= 1;
    else others -= 1;
    const answer = await (isOpen ? open(actor) : meddle(actor));
    tell({ type: 'answer', answer });
  }
}

async function open(actor: Actor): Promise<Answer> {
  const service = `production/s${actor.random(order.services)}`;
  const id = makeRequestId(Date.now(), randomBytes(10));
  const { engine, email } = actor;
  const author = { name: email, email };
  return answered(actor, 'open', id, async () => {
    const planned = await engine.plan({ scope: service });
    await engine.requests.open({ planned, author, id, reason: 'It answers 500' });
    // The news of it may come late.
    know(id);
    return null;
  });
}

/** Mostly with the newest requests, so that several meet. */
function meddle(actor: Actor): Promise<Answer> {
  const newest = actor.random(4) > 0 ? Math.min(known.length, 12) : known.length;
  const id = known[known.length - 1 - actor.random(newest)] ?? '';
  const operation = MEDDLING[actor.random(MEDDLING.length)] ?? 'note';
  const { requests } = actor.engine;
  const by = { id, actor: { name: actor.email, email: actor.email } };
  const isOwn = ({ actor: { email } }: { readonly actor: { readonly email: string } }) =>
    email === actor.email;
  return answered(actor, operation, id, async () => {
    if (operation === 'note')
      return (await requests.note({ ...by, text: 'Seen' })).notes.findLast(isOwn)?.id ?? null;
    if (operation === 'cancel') return (await requests.cancel(by)) && null;
    const { reviews } = operation === 'approve' ? await requests.approve(by) : await requests.reject(by);
    return reviews.findLast(isOwn)?.id ?? null;
  });
}

/** The id of the event where the answer tells it. */
async function answered(
  { email: actor }: Actor,
  operation: Operation,
  request: string,
  call: () => Promise<string | null>,
): Promise<Answer> {
  const [before, started] = [await tip(), performance.now()];
  const end = async (refused: string | null, message: string, event: string | null): Promise<Answer> => {
    const milliseconds = performance.now() - started;
    return { actor, operation, request, before, after: await tip(), refused, message, event, milliseconds };
  };
  try {
    return await end(null, '', await call());
  } catch (error) {
    if (isFailure(error)) return end(error.code, error.message, null);
    return end('UNFORESEEN', error instanceof Error ? (error.stack ?? error.message) : String(error), null);
  }
}

/** As the file of the ref has it: asking git would take longer than the call. */
async function tip(): Promise<string | null> {
  const text = await readFile(join(order.directory, LEDGER), 'utf8').catch(() => null);
  return text?.trim() ?? null;
}

function tell(report: Report): void {
  process.send?.(report);
}
