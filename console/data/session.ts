/** Who is signed in. A single-user server prints an address with a token behind `#`, which no server sees; the page gives it for a cookie. */
import { signal } from '@preact/signals';
import type { Me } from '../contract.ts';
import { call } from './call.ts';
import type { Problem } from './problem.ts';

export type Session =
  | { readonly state: 'asking' }
  | { readonly state: 'signed-in'; readonly me: Me }
  | { readonly state: 'signed-out'; readonly problem: Problem | null }
  /** Nobody can be asked. */
  | { readonly state: 'unknown'; readonly problem: Problem };

export const session = signal<Session>({ state: 'asking' });

/** Also where somebody gives the address to a page that is open: browsers do not load it anew then. */
export function followAddress(): void {
  addEventListener('hashchange', () => {
    if (location.hash.startsWith('#token=')) void signIn();
  });
}

export async function signIn(): Promise<void> {
  const token = takeToken();
  if (token !== null) {
    const answer = await call<Me>('/session', { method: 'POST', token });
    if (!answer.ok) {
      session.value = outcomeOf(answer.problem);
      return;
    }
  }
  const answer = await call<Me>('/me');
  // That nobody is known is said by the page better than by a call.
  if (!answer.ok)
    session.value =
      answer.problem.kind === 'signed-out'
        ? { state: 'signed-out', problem: null }
        : { state: 'unknown', problem: answer.problem };
  else if (answer.value !== null) session.value = { state: 'signed-in', me: answer.value };
}

export async function signOut(): Promise<void> {
  await call('/session', { method: 'DELETE' });
  // A page that is loaded anew has nothing left of them.
  location.assign('/');
}

const outcomeOf = (problem: Problem): Session =>
  problem.kind === 'signed-out' ? { state: 'signed-out', problem } : { state: 'unknown', problem };

/** It leaves the address bar, and this entry of the history, before anything else is done. */
function takeToken(): string | null {
  const token = /^#token=([\w-]{1,200})$/.exec(location.hash)?.[1] ?? null;
  if (token !== null) history.replaceState(null, '', `${location.pathname}${location.search}`);
  return token;
}
