/** For whoever is not known. No page asks for a token: a single-user server prints an address that has it. */
import type { Problem } from '../data/problem.ts';

export function SignedOut({ problem }: { readonly problem: Problem | null }) {
  return (
    <main class="lonely">
      <h1>Backtrail</h1>
      <section class="problem signed-out">
        <h2>You are not signed in</h2>
        {problem !== null && <p>{problem.message}</p>}
        <p>
          On your own machine, open the address that <code>backtrail serve</code> printed behind “single
          user”: it signs this browser in. Another start of the server prints another one.
        </p>
        <p class="hint">Scripts and pipelines send a token to the API; this page never asks for one.</p>
      </section>
    </main>
  );
}
