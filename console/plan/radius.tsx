/** How far a rollback reaches, in the numbers of its plan: before it is chosen, and in one line. */
import { useEffect, useState } from 'preact/hooks';
import { type PlanBody, usePlan } from './planned.ts';
import { sentenceOf } from './reach.ts';

/** Milliseconds: whoever goes through a list by keys has not chosen yet. */
const CHOSEN_MS = 250;

/** `body`: what would be asked for; null: not known yet. `isOffer`: fields are still to be chosen of it. */
export function Radius({
  body,
  isOffer = false,
}: {
  readonly body: PlanBody | null;
  readonly isOffer?: boolean;
}) {
  const { value, problem } = usePlan(useChosen(body));
  if (body === null) return null;
  if (problem !== null) return <span class="radius faint">{problem.message}</span>;
  if (value === null) return <span class="radius faint">Counting what it would touch…</span>;
  return <span class="radius">{sentenceOf(value, isOffer)}</span>;
}

function useChosen(body: PlanBody | null): PlanBody | null {
  const [chosen, setChosen] = useState(body);
  const key = JSON.stringify(body);
  useEffect(() => {
    if (JSON.stringify(chosen) === key) return undefined;
    const timer = setTimeout(() => setChosen(body), CHOSEN_MS);
    return () => clearTimeout(timer);
  }, [key]);
  return JSON.stringify(chosen) === key ? body : null;
}
