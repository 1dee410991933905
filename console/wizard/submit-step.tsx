/** Why, and off it goes: who has to agree is said before. It is bound to the plan that was looked at. */
import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';
import type { GatedPlan, Opened } from '../contract.ts';
import { call } from '../data/call.ts';
import { scopeName } from '../data/paths.ts';
import type { Problem as ProblemValue } from '../data/problem.ts';
import { refresh } from '../data/resource.ts';
import { Command } from '../parts/command.tsx';
import { Findings } from '../parts/findings.tsx';
import { Loading, Problem } from '../parts/states.tsx';
import { Approvers } from '../plan/approvers.tsx';
import { differencesOf, partsOf } from '../plan/compared.ts';
import { planAgain } from '../plan/planned.ts';
import { type Ask, askPath, bodyOf, lineOf } from './ask.ts';
import { isBlocked, useAskedPlan } from './asked-plan.ts';
import { Changed, Summary, Unseen } from './submit-parts.tsx';
import { Buttons } from './buttons.tsx';
import { forgetDraft, keepReason, keyFor, readReason } from './draft.ts';
import type { StepProps } from './step-props.ts';

export function SubmitStep(props: StepProps) {
  const { ask } = props;
  const { plan, body, target } = useAskedPlan(ask);
  const { value, problem } = plan;
  if (ask.to === '' || (ask.mode === 'field' && ask.fields.length === 0)) return <Missing ask={ask} />;
  if (problem !== null)
    return <Problem problem={problem} onRetry={body === null ? undefined : () => void planAgain(body)} />;
  if (value === null || body === null) return <Loading lines={5} />;
  return <Form {...props} plan={value} target={target} planAnew={() => planAgain(body)} />;
}

function Missing({ ask }: { readonly ask: Ask }) {
  const step = ask.to === '' ? 'revision' : 'preview';
  return (
    <p>
      Nothing can be submitted yet:{' '}
      <a href={askPath(ask, { step })}>{step === 'revision' ? 'choose a revision' : 'tick fields'}</a>.
    </p>
  );
}

interface FormProps extends StepProps {
  readonly plan: GatedPlan;
  readonly target: string | null;
  readonly planAnew: () => Promise<GatedPlan | null>;
}

function Form({ ask, plan, target, planAnew }: FormProps) {
  const scope = scopeName(ask.names);
  const [reason, setReason] = useState(() => readReason(scope));
  const [typed, setTyped] = useState('');
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<ProblemValue | null>(null);
  // What another plan would change otherwise; it is asked again then.
  const [changes, setChanges] = useState<readonly string[] | null>(null);
  const { route } = useLocation();
  const mustType = needsTyping(ask, plan);
  const why = whyNot({ reason, plan, isTyped: !mustType || typed === scope, isSending });
  const submit = async () => {
    setSending(true);
    setProblem(null);
    const answer = await send({ ask, plan, reason, target });
    setSending(false);
    if (answer.ok && answer.value !== null) {
      forgetDraft();
      refresh();
      const { request } = answer.value;
      route(request === null ? askPath(ask, { step: 'preview' }) : `/requests/${request.id}`);
    } else if (!answer.ok && answer.problem.code === 'PLAN_CHANGED') {
      const now = await planAnew();
      if (now !== null) setChanges(differencesOf(partsOf(plan), partsOf(now)));
      setTyped('');
    } else if (!answer.ok) setProblem(answer.problem);
  };
  if (ask.seen !== plan.digest && changes === null) return <Unseen ask={ask} wasSeen={ask.seen !== ''} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (why === null) void submit();
      }}
    >
      {changes !== null && <Changed of={changes} href={askPath(ask, { step: 'preview' })} />}
      <Summary ask={ask} of={plan} />
      <Approvers of={plan.gate} />
      {!plan.gate.may.request.allowed && (
        <p class="verdict failure">
          <b>You may not ask for it:</b> {plan.gate.may.request.message} {plan.gate.may.request.hint}
        </p>
      )}
      <Findings of={plan.findings.filter(({ severity }) => severity !== 'info')} />
      <label class="field">
        <span>Reason</span>
        <textarea
          required
          rows={3}
          maxLength={8000}
          value={reason}
          onInput={({ currentTarget: { value } }) => {
            setReason(value);
            keepReason(scope, value);
          }}
        />
      </label>
      {mustType && (
        <label class="field">
          <span>
            Type <code>{scope}</code> to confirm {ask.removal ? 'the removal' : 'that all of it goes back'}
          </span>
          <input
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            value={typed}
            onInput={({ currentTarget: { value } }) => setTyped(value.trim())}
          />
        </label>
      )}
      {problem !== null && <Problem problem={problem} />}
      <Buttons ask={ask} why={why} name={isSending ? 'Submitting' : 'Submit rollback'} />
      <Command line={lineOf(ask, { target, reason: reason || 'REASON' })} />
    </form>
  );
}

const send = ({
  ask,
  plan,
  reason,
  target,
}: Pick<FormProps, 'ask' | 'plan' | 'target'> & { reason: string }) => {
  const body = {
    ...bodyOf(ask, target),
    digest: plan.digest,
    ...(plan.gate.rendered !== null && { rendered: plan.gate.rendered }),
    justification: reason,
    ...(ask.follows !== '' && { follows: ask.follows }),
  };
  return call<Opened>('/rollbacks', { method: 'POST', body, key: keyFor(scopeName(ask.names), body) });
};

/** Where something is removed, or all of an environment that others guard goes back. */
const needsTyping = ({ removal, mode }: Ask, { findings, gate }: GatedPlan): boolean =>
  (removal && findings.some(({ code }) => code === 'REMOVAL_ALLOWED')) ||
  (mode === 'full' && gate.quorum > 0);

interface Ready {
  readonly reason: string;
  readonly plan: GatedPlan;
  readonly isTyped: boolean;
  readonly isSending: boolean;
}

function whyNot({ reason, plan, isTyped, isSending }: Ready): string | null {
  if (isSending) return 'It is being submitted.';
  if (isBlocked(plan)) return 'A finding blocks it: the preview says what can be done.';
  if (plan.unchanged) return 'Nothing would change.';
  if (!plan.gate.may.request.allowed) return 'You may not ask for it.';
  if (reason.trim() === '') return 'Say why.';
  return isTyped ? null : 'Type the name of the scope.';
}
