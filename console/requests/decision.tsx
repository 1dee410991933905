/** What this person may do with a request, and why not what they may not. */
import { useState } from 'preact/hooks';
import type { RequestPlan, RequestView } from '../contract.ts';
import { call } from '../data/call.ts';
import { scopePath } from '../data/paths.ts';
import type { Problem as ProblemValue } from '../data/problem.ts';
import { type Loaded, refresh } from '../data/resource.ts';
import { Command } from '../parts/command.tsx';
import { LinkButton } from '../parts/link-button.tsx';
import { LongText } from '../parts/long-text.tsx';
import { Prose } from '../parts/prose.tsx';
import { Problem } from '../parts/states.tsx';
import { type Act, actsOf, bodyOf, isShown, lineOf, mayDo, NAMES, type Refusal, refusalsOf } from './acts.ts';
import { Moved, useLooked } from './looked.tsx';

interface DecisionProps {
  readonly of: RequestView;
  readonly plan: Loaded<RequestPlan>;
}

export function Decision({ of, plan }: DecisionProps) {
  const [comment, setComment] = useState('');
  const [doing, setDoing] = useState<Act | null>(null);
  const [problem, setProblem] = useState<ProblemValue | null>(null);
  const { differences, look } = useLooked(plan.value);
  const run = async (act: Act) => {
    setDoing(act);
    setProblem(null);
    const body = bodyOf(act, plan.value, comment);
    const answer = await call(`/rollbacks/${of.id}/${act}`, { method: 'POST', body });
    setDoing(null);
    if (answer.ok) setComment('');
    else setProblem(answer.problem);
    refresh();
  };
  const acts = actsOf(of, plan);
  const may = (act: Act) => mayDo(act, of, plan) && (act !== 'approve' || differences === null);
  const takesComment = acts.some((act) => act !== 'retry' && may(act));
  const refused = refusalsOf(of, plan.value);
  if (acts.length === 0 && refused.length === 0) return null;
  return (
    <section class="part stack" aria-label="Decision" id="decision">
      <h2>Decision</h2>
      <Late of={of} plan={plan.value} />
      <Refusals of={refused.filter(({ act }) => act !== 'cancel')} />
      {acts.includes('approve') && differences !== null && <Moved by={differences} onLook={look} />}
      {takesComment && <LongText name="Comment" value={comment} onType={setComment} />}
      <div class="actions way-on">
        {acts.map((act) => (
          <button
            key={act}
            type="button"
            class={act === 'approve' || act === 'retry' ? 'primary' : undefined}
            disabled={doing !== null || !may(act)}
            onClick={() => void run(act)}
          >
            {NAMES[act]}
          </button>
        ))}
        {of.status === 'failed' && <Instead of={of} />}
        {doing !== null && (
          <span class="hint" role="status">
            {doing === 'approve' || doing === 'retry' ? 'It is executed…' : 'A moment…'}
          </span>
        )}
      </div>
      {problem !== null && <Refused problem={problem} />}
      <Refusals of={refused.filter(({ act }) => act === 'cancel')} />
      {acts.filter(may).map((act) => (
        <Command key={act} line={lineOf(act, { id: of.id, plan: plan.value, comment })} />
      ))}
    </section>
  );
}

function Late({ of, plan }: { readonly of: RequestView; readonly plan: RequestPlan | null }) {
  if (of.status !== 'pending' || plan === null || isShown(of, plan)) return null;
  return (
    <p class="verdict warn" role="status">
      <b>Reviewers are asked about a newer plan:</b> it can be approved once it is shown here.
    </p>
  );
}

function Refusals({ of }: { readonly of: readonly Refusal[] }) {
  return (
    <>
      {of.map(({ act, message, hint }) => (
        <p key={act} class={act === 'cancel' ? 'faint' : 'verdict warn'}>
          <b>You may not {act} it:</b> <Prose text={`${message} ${hint}`} />
        </p>
      ))}
    </>
  );
}

/** What was looked at is not what would be approved: the page has shown that by now, and the server says no more than it. */
function Refused({ problem }: { readonly problem: ProblemValue }) {
  if (problem.code !== 'PLAN_CHANGED') return <Problem problem={problem} />;
  return (
    <section class="problem refused" role="alert">
      <h3>Nothing was approved</h3>
      <p>{problem.message}</p>
      <p>Look at what is shown here now, and approve that.</p>
      <p class="code">{problem.code}</p>
    </section>
  );
}

/** Another rollback in the place of one that failed. */
function Instead({ of: { id, scope } }: { readonly of: RequestView }) {
  const { mode, fields = [] } = scope;
  const search = new URLSearchParams([
    ['step', 'revision'],
    ['mode', mode],
    ...fields.map((field) => ['field', field]),
    ['follows', id],
  ]);
  return (
    <LinkButton href={`${scopePath(scope, 'rollback')}?${search.toString()}`}>Another revision</LinkButton>
  );
}
