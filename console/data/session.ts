/** Who is signed in. A single-user server prints an address with a token behind `#`, which no server sees; the page gives it for a cookie. */
import { signal } from '@preact/signals';
import type { Me } from '../contract.ts';
import { type Answer, call } from './call.ts';
import { forget } from './kept.ts';
import type { Problem } from './problem.ts';

export type Session =
  | { readonly state: 'asking' }
  | { readonly state: 'signed-in'; readonly me: Me }
  | { readonly state: 'signed-out'; readonly problem: Problem | null }
  /** Nobody can be asked. */
  | { readonly state: 'unknown'; readonly problem: Problem };

export const session = signal<Session>({ state: 'asking' });

/** Also where somebody gives the address to a page that is open: browsers do not load it anew then. What it knows may be of somebody else. */
export function followAddress(): void {
  addEventListener('hashchange', () => {
    if (location.hash.startsWith('#token=')) location.reload();
  });
  // A browser that goes back shows the page as it was left, also to whoever comes after a person who signed out.
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) location.reload();
  });
}

export async function signIn(): Promise<void> {
  const token = takeToken();
  const known = await call<Me>('/me');
  // A link that somebody else made does not make another person, or nobody, of who is signed in: that takes signing out.
  if (known.ok || known.problem.kind !== 'signed-out' || token === null) return tell(known, null);
  const given = await call<Me>('/session', { method: 'POST', token });
  return given.ok ? tell(await call<Me>('/me'), null) : tell(given, given.problem);
}

/** `refusal`: why a token was refused. That nobody is known is said by the page better than by a call. */
function tell(answer: Answer<Me>, refusal: Problem | null): void {
  if (!answer.ok)
    session.value =
      answer.problem.kind === 'signed-out'
        ? { state: 'signed-out', problem: refusal }
        : { state: 'unknown', problem: answer.problem };
  else if (answer.value !== null) session.value = { state: 'signed-in', me: answer.value };
}

export async function signOut(): Promise<void> {
  await call('/session', { method: 'DELETE' });
  forget();
  // A page that is loaded anew has nothing left of them.
  location.assign('/');
}

/** It leaves the address bar, and this entry of the history, before anything else is done. */
function takeToken(): string | null {
  const token = /^#token=([\w-]{1,200})$/.exec(location.hash)?.[1] ?? null;
  if (token !== null) history.replaceState(null, '', `${location.pathname}${location.search}`);
  return token;
}
