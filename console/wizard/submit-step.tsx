/** Why, and off it goes: who has to agree is said before. It is bound to the plan that was looked at. */
import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';
import type { GatedPlan } from '../contract.ts';
import { scopeName } from '../data/paths.ts';
import { Findings } from '../parts/findings.tsx';
import { Loading, Problem } from '../parts/states.tsx';
import { Approvers } from '../plan/approvers.tsx';
import { planAgain } from '../plan/planned.ts';
import { type Ask, askPath } from './ask.ts';
import { isBlocked, useAskedPlan } from './asked-plan.ts';
import { Changed, Refusal, Summary, Typed, Unseen } from './submit-parts.tsx';
import { type Submitted, useSubmission } from './submission.ts';
import { Buttons } from './buttons.tsx';
import { Line } from './line.tsx';
import { keepReason, readReason } from './draft.ts';
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

type FormProps = StepProps & Submitted;

function Form(props: FormProps) {
  const { ask, plan, target } = props;
  const scope = scopeName(ask.names);
  const { route } = useLocation();
  const [reason, setReason] = useState(() => readReason(scope));
  const [typed, setTyped] = useState('');
  const { isSending, problem, changes, submit } = useSubmission(props, (id) =>
    route(id === null ? askPath(ask, { step: 'preview' }) : `/requests/${id}`),
  );
  const mustType = needsTyping(ask, plan);
  const why = whyNot({ reason, plan, isTyped: !mustType || typed === scope, isSending });
  if (ask.seen !== plan.digest && changes === null) return <Unseen ask={ask} wasSeen={ask.seen !== ''} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (why === null) void submit(reason).then(() => setTyped(''));
      }}
    >
      {changes !== null && <Changed of={changes} href={askPath(ask, { step: 'preview' })} />}
      <Summary ask={ask} of={plan} />
      <Approvers of={plan.gate} />
      <Refusal of={plan.gate.may.request} />
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
      {mustType && <Typed scope={scope} isRemoval={ask.removal} value={typed} onType={setTyped} />}
      {problem !== null && <Problem problem={problem} />}
      <Buttons ask={ask} why={why} name={isSending ? 'Submitting' : 'Submit rollback'} />
      <Line ask={ask} environment={props.environment} target={target} reason={reason || 'REASON'} />
    </form>
  );
}

/** Where something is removed, or all of an environment that others guard goes back: in a break-glass session too. */
const needsTyping = ({ removal, mode }: Ask, { findings, gate }: GatedPlan): boolean =>
  (removal && findings.some(({ code }) => code === 'REMOVAL_ALLOWED')) ||
  (mode === 'full' && (gate.quorum > 0 || gate.session !== null));

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
