/** A rollback on its way to the server, once, and bound to the plan that was looked at. */
import { useState } from 'preact/hooks';
import type { GatedPlan, Opened } from '../contract.ts';
import { call } from '../data/call.ts';
import { scopeName } from '../data/paths.ts';
import type { Problem } from '../data/problem.ts';
import { refresh } from '../data/resource.ts';
import { differencesOf, partsOf } from '../plan/compared.ts';
import { type Ask, bodyOf } from './ask.ts';
import { forgetDraft, keyFor } from './draft.ts';

export interface Submitted {
  readonly ask: Ask;
  readonly plan: GatedPlan;
  /** The commit, in field mode. */
  readonly target: string | null;
  readonly planAnew: () => Promise<GatedPlan | null>;
}

interface Submission {
  readonly isSending: boolean;
  readonly problem: Problem | null;
  /** What another plan would change otherwise: it is asked again then; null: it is the plan that was looked at. */
  readonly changes: readonly string[] | null;
  readonly submit: (reason: string) => Promise<void>;
}

/** `onOpened`: it is a request now; null: nothing is left to do. */
export function useSubmission(
  { ask, plan, target, planAnew }: Submitted,
  onOpened: (requestId: string | null) => void,
): Submission {
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [changes, setChanges] = useState<readonly string[] | null>(null);
  const submit = async (reason: string) => {
    setSending(true);
    setProblem(null);
    const body = {
      ...bodyOf(ask, target),
      digest: plan.digest,
      ...(plan.gate.rendered !== null && { rendered: plan.gate.rendered }),
      justification: reason,
      ...(ask.follows !== '' && { follows: ask.follows }),
    };
    const key = keyFor(scopeName(ask.names), body);
    const answer = await call<Opened>('/rollbacks', { method: 'POST', body, key });
    if (!answer.ok && answer.problem.code === 'PLAN_CHANGED') {
      const now = await planAnew();
      if (now !== null) setChanges(differencesOf(partsOf(plan), partsOf(now)));
    } else if (!answer.ok) setProblem(answer.problem);
    setSending(false);
    if (!answer.ok || answer.value === null) return;
    forgetDraft();
    refresh();
    onOpened(answer.value.request?.id ?? null);
  };
  return { isSending, problem, changes, submit };
}
