/**
 * Tells one sink what happened, until it has taken it: in order for each request, several requests at a time, and slowly where it does not take it.
 * What waits is a part of the ledger, of a bounded length: the rest stays there until there is room.
 */
import { isFailure } from '../../engine/index.ts';
import type { Logger } from '../../workers/index.ts';
import { createWakeableTimer } from '../../workers/wakeable-timer.ts';
import type { Metrics } from '../operation/metrics.ts';
import type { Cursor } from './cursors.ts';
import { messageId } from './happening.ts';
import { type Message, messageOf } from './message.ts';
import { type Sender, TOGETHER } from './sender.ts';
import { type Sink, wants } from './sink.ts';
import type { Found, Place, Source } from './source.ts';

export interface Delivery {
  /** Something may have come. */
  wake(): void;
  standing(): Standing;
  /** Begins nothing more; what is under way has two seconds to end, and is sent again later where it does not. */
  stop(): Promise<void>;
}

interface Standing {
  readonly sink: string;
  /** Messages that were read and not taken. */
  readonly waiting: number;
  /** ISO 8601: when the oldest of them happened; null: none waits. */
  readonly oldestAt: string | null;
  /** It said that it wants nothing any more. */
  readonly isGone: boolean;
}

export interface DeliveryInput {
  readonly sink: Sink;
  readonly cursor: Cursor;
  readonly source: Source;
  readonly sender: Sender;
  /** The cursor is another one now. */
  readonly changed: (now: () => Cursor) => void;
  /** Where the ledger is not the one that the cursor is of: a position to begin at, before `oldest` (milliseconds since 1970), which was not taken. */
  readonly beginAnew: (oldest: number) => Promise<string>;
  /** Milliseconds after so many failures in a row, at least 1. */
  readonly backOff: (failures: number) => number;
  readonly now: () => number;
  readonly metrics: Pick<Metrics, 'webhook'>;
  readonly logger: Logger;
}

/** Messages that wait at most, but for one reading of the branch. */
const WINDOW = 256;
const PAGE = 64;
/** Milliseconds between two looks where nobody says that something came. */
const LOOK_MS = 15_000;
const GRACE_MS = 2000;

interface Entry {
  readonly id: string;
  /** The request or the session. */
  readonly of: string;
  readonly at: string;
  place: Place;
  /** Null: to be read again, after a restart. */
  message: Message | null;
  attempts: number;
  /** Milliseconds since 1970. */
  due: number;
  isSending: boolean;
}

export function startDelivery(input: DeliveryInput): Delivery {
  const { sink, source, sender, changed, beginAnew, backOff, now, metrics, logger } = input;
  const reading = createWakeableTimer();
  const stopping = new AbortController();
  const sending = new Set<Promise<void>>();
  let { position, branch, records } = input.cursor;
  let entries: Entry[] = input.cursor.waiting.map((each) => ({ ...each, ...UNTRIED, message: null }));
  /** In a row, of whichever message. */
  let failures = 0;
  let pausedUntil = 0;
  /** When the oldest happened of what was not found where it was, and was not taken. */
  let goneSince = Infinity;
  let next: NodeJS.Timeout | undefined;
  let isStopped = false;
  let isGone = false;
  let reported: string | null = null;

  const isRunning = () => !isStopped;
  const cursorNow = (): Cursor => ({
    position,
    branch,
    ...(records !== undefined && { records }),
    waiting: entries.map(({ id, of, at, place }) => ({ id, of, at, place })),
  });
  const add = (found: readonly Found[]) => {
    const known = new Map(entries.map((entry) => [entry.id, entry]));
    for (const { place, happening } of found) {
      if (!wants(sink, happening) || Date.parse(happening.at) < (sink.from ?? -Infinity)) continue;
      const id = messageId(sink.name, happening);
      const waiting = known.get(id);
      if (waiting !== undefined) {
        // Where the ledger was written anew, it is in another place than before.
        waiting.place = place;
        continue;
      }
      const message = entries.length < WINDOW ? messageOf(sink, happening) : null;
      const entry = { id, of: happening.of, at: happening.at, place, message, ...UNTRIED };
      known.set(id, entry);
      entries.push(entry);
    }
  };
  const read = async () => {
    for (let hasMore = true; hasMore && entries.length < WINDOW; ) {
      const page = await source.ledger(position, Math.min(PAGE, WINDOW - entries.length));
      if (page === null) {
        const begun = await beginAnew(Math.min(...entries.map(({ at }) => Date.parse(at)), goneSince));
        if (isStopped) return;
        logger.warn({ sink: sink.name }, 'the ledger is another one: its newest events are sent');
        position = begun;
        goneSince = Infinity;
        continue;
      }
      if (isStopped) return;
      add(page.found);
      if (page.cursor !== position) {
        position = page.cursor;
        changed(cursorNow);
      }
      ({ hasMore } = page);
      pump();
    }
    if (entries.length >= WINDOW) return;
    const page = await source.branch(branch);
    if (isStopped) return;
    if (page.cursor.commit !== branch.commit) {
      add(page.found);
      branch = page.cursor;
      changed(cursorNow);
      pump();
    }
    await readRecords();
  };
  const readRecords = async () => {
    while (entries.length < WINDOW) {
      const page = await source.records(records);
      if (isStopped || page.cursor === records) return;
      add(page.found);
      records = page.cursor;
      changed(cursorNow);
      pump();
    }
  };
  const follow = async () => {
    for (let failed = 0; isRunning(); ) {
      try {
        await read();
        failed = 0;
        reported = null;
      } catch (error) {
        failed += 1;
        const code = isFailure(error) ? error.code : 'INTERNAL';
        if (code !== reported && !isStopped)
          logger.warn({ err: error, sink: sink.name }, 'what is to be sent cannot be read');
        reported = code;
      }
      if (!isStopped) await reading.wait(failed === 0 ? LOOK_MS : Math.min(1000 * 2 ** failed, LOOK_MS));
    }
  };

  /** The first of each request that waits, those first that were tried least. */
  const heads = () => {
    const seen = new Set<string>();
    const first = entries.filter(({ of }) => !seen.has(of) && seen.add(of));
    return first.filter(({ isSending }) => !isSending).sort((one, other) => one.attempts - other.attempts);
  };
  const pump = () => {
    clearTimeout(next);
    if (isStopped || isGone) return;
    // One at a time finds out whether it takes anything again.
    const most = failures > 0 ? 1 : TOGETHER;
    let soonest = Infinity;
    for (const entry of heads()) {
      const at = Math.max(entry.due, pausedUntil);
      if (at <= now() && sending.size < most) begin(entry);
      else soonest = Math.min(soonest, at);
    }
    // Whatever is under way looks again when it ends.
    if (sending.size < most && soonest < Infinity) next = setTimeout(pump, Math.max(1, soonest - now()));
  };
  const begin = (entry: Entry) => {
    entry.isSending = true;
    const work = attempt(entry).finally(() => {
      entry.isSending = false;
      sending.delete(work);
      pump();
    });
    sending.add(work);
  };
  const attempt = async (entry: Entry) => {
    const isKnown = await restore(entry);
    if (isKnown === 'later' || isStopped) return;
    if (isKnown === 'gone') goneSince = Math.min(goneSince, Date.parse(entry.at));
    const outcome = isKnown === 'gone' ? null : await sender.send(messageIn(entry), stopping.signal);
    if (outcome?.kind === 'failed') return failed(entry, outcome);
    if (outcome !== null) metrics.webhook({ sink: sink.name, outcome: outcome.kind });
    if (outcome?.kind === 'gone') {
      isGone = true;
      logger.error({ sink: sink.name }, 'a webhook answers that it is gone (410): it is sent nothing more');
      return;
    }
    if (failures > 0) logger.info({ sink: sink.name, failures }, 'a webhook takes messages again');
    [failures, pausedUntil] = [0, 0];
    const wasFull = entries.length >= WINDOW;
    entries = entries.filter((each) => each !== entry);
    changed(cursorNow);
    if (wasFull) reading.wake();
  };
  /** After a restart. */
  const restore = async (entry: Entry): Promise<'here' | 'later' | 'gone'> => {
    if (entry.message !== null) return 'here';
    const { place } = entry;
    try {
      const happening = await source.read(place);
      const message = happening === null ? null : messageOf(sink, happening);
      entry.message = message?.id === entry.id ? message : null;
    } catch {
      entry.attempts += 1;
      entry.due = now() + backOff(entry.attempts);
      return 'later';
    }
    if (entry.message !== null) return 'here';
    if (entry.place !== place) return restore(entry);
    logger.warn({ sink: sink.name, of: entry.of }, 'what was to be sent is not in the repository any more');
    return 'gone';
  };
  const failed = (
    entry: Entry,
    { why, retryAfterMs }: { readonly why: string; readonly retryAfterMs: number | null },
  ) => {
    if (isStopped) return;
    metrics.webhook({ sink: sink.name, outcome: 'failed' });
    entry.attempts += 1;
    failures += 1;
    entry.due = now() + backOff(entry.attempts);
    pausedUntil = now() + Math.max(backOff(failures), retryAfterMs ?? 0);
    const line = { sink: sink.name, message: entry.id, attempts: entry.attempts, why };
    if (failures === 1) logger.warn(line, 'a webhook did not take a message: it is sent again');
    else logger.debug(line, 'a webhook did not take a message');
  };

  changed(cursorNow);
  void follow();
  pump();
  return {
    wake: () => reading.wake(),
    standing: () => ({
      sink: sink.name,
      waiting: entries.length,
      oldestAt: entries[0]?.at ?? null,
      isGone,
    }),
    stop: async () => {
      isStopped = true;
      clearTimeout(next);
      reading.wake();
      const grace = setTimeout(() => stopping.abort(), GRACE_MS);
      await Promise.all(sending);
      clearTimeout(grace);
      await sender.close();
    },
  };
}

const UNTRIED = { attempts: 0, due: 0, isSending: false };

function messageIn({ message }: Entry): Message {
  if (message === null) throw new Error('It was read.');
  return message;
}
