/** For whoever is not known. No page asks for a token: an issuer signs browsers in, and a single-user server prints an address that does. */
import { useEffect, useState } from 'preact/hooks';
import { call } from '../data/call.ts';
import { queryOf } from '../data/paths.ts';
import type { Problem } from '../data/problem.ts';

interface Issuer {
  /** Its host. */
  readonly name: string;
  readonly href: string;
}

/** What became of a sign-in, as the server says it behind `#`. */
const OUTCOMES: Readonly<Record<string, string>> = {
  failed: 'The issuer did not sign you in, or says nothing of your email that counts here.',
  expired: 'That sign-in took too long, or was begun in another browser. Begin again.',
  away: 'The issuer does not answer. Try again in a moment.',
};

export function SignedOut({ problem }: { readonly problem: Problem | null }) {
  const [issuers, setIssuers] = useState<readonly Issuer[] | null>(null);
  const outcome = /^#sign-in=(\w+)$/.exec(location.hash)?.[1];
  useEffect(() => {
    document.title = 'Sign in · Backtrail';
    void call<{ readonly issuers: readonly Issuer[] }>('/sign-in').then((answer) =>
      setIssuers(answer.ok ? (answer.value?.issuers ?? []) : []),
    );
  }, []);
  return (
    <main class="lonely" aria-busy={issuers === null ? 'true' : undefined}>
      <h1>Backtrail</h1>
      <section class="problem signed-out">
        <h2>You are not signed in</h2>
        {outcome !== undefined && <p class="failure">{OUTCOMES[outcome] ?? OUTCOMES['failed']}</p>}
        {issuers?.length === 0 && <SingleUser problem={problem} />}
        <p class="actions">
          {issuers?.map(({ name, href }) => (
            <a key={href} class="button primary" href={`${href}${queryOf({ to: here() }).replace('?', '&')}`}>
              Sign in with {name}
            </a>
          ))}
        </p>
      </section>
    </main>
  );
}

const here = () => `${location.pathname}${location.search}`;

function SingleUser({ problem }: { readonly problem: Problem | null }) {
  return (
    <>
      {problem !== null && <p>{problem.message}</p>}
      <p>
        On your own machine, open the address that <code>backtrail serve</code> printed behind “single user”:
        it signs this browser in. Another start of the server prints another one.
      </p>
      <p class="hint">
        A server for several people signs browsers in by an issuer: <code>client</code> of <code>oidc</code>{' '}
        in its configuration.
      </p>
    </>
  );
}
