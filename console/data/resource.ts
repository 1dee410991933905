/**
 * What pages read: one entry an address, shared by all that show it, kept while they change and brought up to date in place. An answer that is
 * known stays on the page while it is asked for again, and where that fails.
 */
import { type Signal, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { call } from './call.ts';
import { now } from './clock.ts';
import type { Problem } from './problem.ts';
import { session } from './session.ts';

export interface Loaded<Value> {
  /** The last answer; null: none yet. */
  readonly value: Value | null;
  /** Why the last try gave none. */
  readonly problem: Problem | null;
  readonly isLoading: boolean;
  /** When the value was last known to be so: milliseconds since 1970. */
  readonly at: number | null;
}

interface Entry {
  readonly state: Signal<Loaded<unknown>>;
  etag: string | null;
  users: number;
  asking: Promise<void> | null;
}

/** Entries that nothing shows. */
const MOST_UNUSED = 40;
const NOTHING: Loaded<never> = { value: null, problem: null, isLoading: false, at: null };
const entries = new Map<string, Entry>();

/** Asks while it is shown. `path`: below /api/v1; null: nothing. */
export function useResource<Value>(path: string | null): Loaded<Value> {
  useEffect(() => {
    if (path === null) return undefined;
    const entry = entryOf(path);
    entry.users += 1;
    void load(path);
    return () => {
      entry.users -= 1;
      sweep();
    };
  }, [path]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever names the path names the type of its answer
  return path === null ? NOTHING : (entryOf(path).state.value as Loaded<Value>);
}

/** Asks again for all that is shown. A page that nobody looks at asks nothing: when it is looked at, it is brought up to date (events.ts). */
export function refresh(isWanted: (path: string) => boolean = () => true): void {
  if (document.visibilityState === 'hidden') return;
  for (const [path, { users }] of entries) if (users > 0 && isWanted(path)) void load(path);
}

function entryOf(path: string): Entry {
  const known = entries.get(path);
  if (known !== undefined) return known;
  const made: Entry = {
    state: signal<Loaded<unknown>>({ ...NOTHING, isLoading: true }),
    etag: null,
    users: 0,
    asking: null,
  };
  entries.set(path, made);
  return made;
}

function load(path: string): Promise<void> {
  const entry = entryOf(path);
  entry.asking ??= ask(path, entry).finally(() => {
    entry.asking = null;
  });
  return entry.asking;
}

async function ask(path: string, entry: Entry): Promise<void> {
  const { state } = entry;
  if (!state.peek().isLoading) state.value = { ...state.peek(), isLoading: true };
  const answer = await call<unknown>(path, { etag: entry.etag });
  const before = state.peek();
  if (!answer.ok) {
    const { problem } = answer;
    if (problem.kind === 'signed-out') session.value = { state: 'signed-out', problem };
    // What may no longer be seen does not stay on the page.
    const isGone = problem.kind === 'denied' || problem.kind === 'missing' || problem.kind === 'signed-out';
    state.value = { ...(isGone ? NOTHING : before), problem, isLoading: false };
    if (isGone) entry.etag = null;
    return;
  }
  const value = answer.status === 304 ? before.value : answer.value;
  entry.etag = answer.etag;
  now.value = Date.now();
  state.value = { value, problem: null, isLoading: false, at: now.value };
}

function sweep(): void {
  const unused = [...entries].filter(([, { users }]) => users === 0);
  for (const [path] of unused.slice(0, -MOST_UNUSED)) entries.delete(path);
}
