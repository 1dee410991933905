/**
 * News of the server: what is shown is asked for again when something happened. Events tell of requests; commits that others push tell nothing,
 * so it is asked again now and then as well, and more often where events do not come.
 */
import { signal } from '@preact/signals';
import { API } from './call.ts';
import { refresh } from './resource.ts';

/** `polling`: events do not come, and it is asked every few seconds. */
export type Connection = 'connecting' | 'live' | 'polling' | 'offline';

export const connection = signal<Connection>('connecting');

/** Milliseconds. */
const LIVE_EVERY = 30_000;
const POLLING_EVERY = 10_000;
const TOGETHER = 200;
const REOPEN_FIRST = 2000;
const REOPEN_LAST = 60_000;

/** A step of a rollback that is executed, or an event of the ledger. */
export interface News {
  readonly kind: 'request' | 'session' | 'step';
  readonly data: Readonly<Record<string, unknown>>;
}
type Listener = (news: News) => void;

const listeners = new Set<Listener>();

/** Gives the function that ends it. */
export function onNews(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let asked = 0;
let soon: ReturnType<typeof setTimeout> | undefined;

/** Several events that come together are one reason to ask. */
function refreshSoon(): void {
  soon ??= setTimeout(() => {
    soon = undefined;
    asked = Date.now();
    refresh();
  }, TOGETHER);
}

export function followEvents(): void {
  asked = Date.now();
  open(REOPEN_FIRST);
  addEventListener('online', comeBack);
  addEventListener('offline', () => (connection.value = 'offline'));
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') refreshSoon();
  });
  setInterval(() => {
    if (document.visibilityState !== 'visible') return;
    const every = connection.value === 'live' ? LIVE_EVERY : POLLING_EVERY;
    if (Date.now() - asked >= every) refreshSoon();
  }, 1000);
}

/** Where events come from now. */
let stream: EventSource | null = null;

/** A stream that outlived the network, as that of a server on this machine does, says nothing when the network is back. */
function comeBack(): void {
  connection.value = stream?.readyState === EventSource.OPEN ? 'live' : 'polling';
  refreshSoon();
}

function open(wait: number): void {
  const source = new EventSource(`${API}/events`);
  stream = source;
  let pause = wait;
  source.addEventListener('ready', () => {
    const isBack = connection.value !== 'connecting';
    pause = REOPEN_FIRST;
    connection.value = 'live';
    if (isBack) refreshSoon();
  });
  source.addEventListener('reset', refreshSoon);
  for (const kind of ['request', 'session', 'step'] as const)
    source.addEventListener(kind, ({ data }: MessageEvent<string>) => {
      if (kind !== 'step') refreshSoon();
      for (const listener of listeners) listener({ kind, data: parsed(data) });
    });
  source.addEventListener('error', () => {
    connection.value = navigator.onLine ? 'polling' : 'offline';
    // What the browser does not open again by itself: an answer that was no stream.
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => open(Math.min(pause * 2, REOPEN_LAST)), pause);
  });
}

function parsed(text: string): News['data'] {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
