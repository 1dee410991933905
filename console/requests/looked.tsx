/** A plan that changes under the eyes of whoever decides on it is not decided on before they say that they have seen it. */
import { useState } from 'preact/hooks';
import type { RequestPlan } from '../contract.ts';
import { differencesOf, partsOf } from '../plan/compared.ts';

interface Looked {
  /** Sentences; null: it is the plan that was looked at. */
  readonly differences: readonly string[] | null;
  /** They have seen the one of now. */
  readonly look: () => void;
}

export function useLooked(plan: RequestPlan | null): Looked {
  const [looked, setLooked] = useState<RequestPlan | null>(null);
  if (looked === null && plan !== null) setLooked(plan);
  const before = looked ?? plan;
  const isSame =
    plan === null || before === null || (plan.digest === before.digest && plan.rendered === before.rendered);
  return {
    differences: isSame ? null : differencesOf(partsOf(before), partsOf(plan)),
    look: () => setLooked(plan),
  };
}

export function Moved({ by, onLook }: { readonly by: readonly string[]; readonly onLook: () => void }) {
  return (
    <section class="verdict warn" role="alert" aria-label="It changed while you looked at it">
      <p>
        <b>It changed while you looked at it.</b> What is shown above is what it would change now.
      </p>
      <ul class="fields">
        {by.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <div class="actions">
        <button type="button" onClick={onLook}>
          I have looked at it
        </button>
      </div>
    </section>
  );
}
