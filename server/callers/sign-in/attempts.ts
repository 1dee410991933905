/** Sign-ins that have begun: what the browser brings back has to fit, once, and in the browser that it was begun in. */
import { createHash } from 'node:crypto';

export interface Attempt {
  /** Which of the issuers. */
  readonly issuer: number;
  /** Of PKCE: whoever has it is whom the code was given to. */
  readonly verifier: string;
  readonly nonce: string;
  /** The path of the page that it leads back to. */
  readonly to: string;
}

export interface Attempts {
  /** `binding`: what the browser's cookie holds. Gives the `state` that it has to bring back. */
  begin(attempt: Attempt, binding: string): string;
  /** null: there is none, it took too long, or it was begun in another browser. */
  take(state: string, binding: string): Attempt | null;
}

/** Of one that people take who have to find their second factor. */
export const ATTEMPT_MS = 10 * 60_000;
const MOST = 10_000;

export function createAttempts({
  random,
  now,
}: {
  readonly random: (bytes: number) => Uint8Array;
  readonly now: () => number;
}): Attempts {
  /** By a digest of the state, oldest first. */
  const begun = new Map<string, Attempt & { readonly binding: string; readonly ends: number }>();
  return {
    begin: (attempt, binding) => {
      for (const [id, { ends }] of begun) if (ends <= now() || begun.size >= MOST) begun.delete(id);
      const state = Buffer.from(random(32)).toString('base64url');
      begun.set(digestOf(state), { ...attempt, binding: digestOf(binding), ends: now() + ATTEMPT_MS });
      return state;
    },
    take: (state, binding) => {
      const found = begun.get(digestOf(state));
      if (found === undefined || found.binding !== digestOf(binding)) return null;
      begun.delete(digestOf(state));
      return found.ends > now() ? found : null;
    },
  };
}

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');
