/** What would change: findings first, then how much, then each line. */
import type { GatedPlan } from '../contract.ts';
import { Findings } from '../parts/findings.tsx';
import { Empty, Loading, Problem } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { Changes } from '../plan/changes.tsx';
import { Impact } from '../plan/impact.tsx';
import { planAgain } from '../plan/planned.ts';
import { revisionName } from '../plan/revision-name.ts';
import { isBlocked, useAskedPlan } from './asked-plan.ts';
import type { Ask } from './ask.ts';
import { Buttons } from './buttons.tsx';
import { FieldChoice } from './field-choice.tsx';
import { Line } from './line.tsx';
import { PlanOptions } from './plan-options.tsx';
import type { StepProps } from './step-props.ts';

export function PreviewStep({ ask, environment, choose, next }: StepProps) {
  const { offer, plan, body, target } = useAskedPlan(ask);
  const { value, problem } = plan;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (value !== null) next({ seen: value.digest });
      }}
    >
      {ask.mode === 'field' && ask.to !== '' && <FieldChoice ask={ask} offer={offer} choose={choose} />}
      {body !== null && value === null && problem === null && <Loading lines={8} />}
      {problem !== null && (
        <Problem problem={problem} onRetry={body === null ? undefined : () => void planAgain(body)} />
      )}
      {value !== null && <Planned of={value} />}
      {value !== null && <PlanOptions ask={ask} plan={value} choose={choose} />}
      <Buttons ask={ask} why={whyNot(ask, value)} />
      {ask.to !== '' && <Line ask={ask} environment={environment} target={target} />}
    </form>
  );
}

function whyNot({ to, mode, fields }: Ask, plan: GatedPlan | null): string | null {
  if (to === '') return 'Choose a revision first.';
  if (mode === 'field' && fields.length === 0) return 'Tick the fields that are to go back.';
  if (plan === null) return 'There is no plan yet.';
  if (isBlocked(plan)) return 'A finding blocks it: what can be done stands with it.';
  return plan.unchanged ? 'Nothing would change.' : null;
}

function Planned({ of }: { readonly of: GatedPlan }) {
  const { findings, currentVersion, revisions, unchanged } = of;
  return (
    <>
      <p class="from-to">
        From <b>{currentVersion === null ? 'now' : `v${currentVersion}`}</b>
        {revisions?.current !== undefined && <Said text={revisions.current.subject} />} back to{' '}
        <b>{revisionName(of)}</b>
        {revisions?.target !== undefined && (
          <>
            <Said text={revisions.target.subject} />, of <bdi>{revisions.target.author.name}</bdi>,{' '}
            <Time at={revisions.target.time} />
          </>
        )}
      </p>
      <section class="part" aria-label="Checks">
        <h3>Findings</h3>
        {findings.length === 0 ? (
          <Empty>No check found anything.</Empty>
        ) : (
          <Findings of={findings} areFolded />
        )}
      </section>
      <Impact of={of} />
      {unchanged ? <Empty>It is at this revision already.</Empty> : <Changes of={of} />}
    </>
  );
}

/** What somebody wrote does not turn around what stands behind it. */
function Said({ text }: { readonly text: string }) {
  return (
    <>
      {' ('}
      <bdi>{text}</bdi>)
    </>
  );
}
