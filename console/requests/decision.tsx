/** What this person may do with a request, and why not what they may not. */
import { useState } from 'preact/hooks';
import type { RequestPlan, RequestView } from '../contract.ts';
import { call } from '../data/call.ts';
import { scopePath } from '../data/paths.ts';
import type { Problem as ProblemValue } from '../data/problem.ts';
import { refresh } from '../data/resource.ts';
import { Command } from '../parts/command.tsx';
import { LinkButton } from '../parts/link-button.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Problem } from '../parts/states.tsx';

type Act = 'approve' | 'reject' | 'retry' | 'cancel';

interface DecisionProps {
  readonly of: RequestView;
  readonly plan: RequestPlan | null;
}

export function Decision({ of, plan }: DecisionProps) {
  const [comment, setComment] = useState('');
  const [doing, setDoing] = useState<Act | null>(null);
  const [problem, setProblem] = useState<ProblemValue | null>(null);
  const run = async (act: Act) => {
    setDoing(act);
    setProblem(null);
    const answer = await call(`/rollbacks/${of.id}/${act}`, {
      method: 'POST',
      body: bodyOf(act, of, comment),
    });
    setDoing(null);
    if (answer.ok) setComment('');
    else setProblem(answer.problem);
    refresh();
  };
  const acts = actsOf(of);
  if (acts.length === 0) return null;
  return (
    <section class="part stack" aria-label="Decision" id="decision">
      <h2>Decision</h2>
      <Refusal of={of} plan={plan} />
      {of.status !== 'failed' && (
        <label class="field">
          <span>Comment</span>
          <textarea
            rows={2}
            maxLength={8000}
            value={comment}
            onInput={({ currentTarget }) => setComment(currentTarget.value)}
          />
        </label>
      )}
      <div class="actions way-on">
        {acts.map((act) => (
          <button
            key={act}
            type="button"
            class={act === 'approve' || act === 'retry' ? 'primary' : undefined}
            disabled={doing !== null || !mayDo(act, of, plan)}
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
      {problem !== null && <Problem problem={problem} />}
      {acts.map((act) => (
        <Command key={act} line={lineOf(act, of, comment)} />
      ))}
    </section>
  );
}

const NAMES: Readonly<Record<Act, string>> = {
  approve: 'Approve',
  reject: 'Reject',
  retry: 'Retry',
  cancel: 'Cancel',
};

function actsOf({ status }: RequestView): readonly Act[] {
  if (status === 'pending') return ['approve', 'reject', 'cancel'];
  if (status === 'approved') return ['retry', 'cancel'];
  return status === 'failed' ? ['retry', 'cancel'] : [];
}

/** Of rejecting and cancelling only the server says it, when it is asked to. */
const mayDo = (act: Act, of: RequestView, plan: RequestPlan | null): boolean => {
  if (act === 'cancel') return true;
  if (act === 'retry') return plan?.may.retry.allowed === true;
  return plan?.may.approve.allowed === true && (act === 'reject' || isShown(of, plan));
};

/** The page shows what reviewers are asked about, or what they would be asked next: where they are asked anew, the plan comes a little later. */
const isShown = ({ digest }: RequestView, plan: RequestPlan): boolean =>
  plan.changed || plan.digest === digest;

function Refusal({ of, plan }: DecisionProps) {
  const { status } = of;
  const permit = status === 'pending' ? plan?.may.approve : plan?.may.retry;
  if (status === 'pending' && plan !== null && !isShown(of, plan))
    return (
      <p class="verdict warn" role="status">
        <b>Reviewers are asked about a newer plan:</b> it can be approved once it is shown here.
      </p>
    );
  if (permit === undefined || permit.allowed) return null;
  return (
    <p class="verdict warn">
      <b>You may not {status === 'pending' ? 'approve' : 'retry'} it:</b> {permit.message} {permit.hint}
    </p>
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

/** What was looked at is approved, and nothing else. */
function bodyOf(act: Act, { digest }: RequestView, comment: string): object {
  if (act === 'retry') return {};
  if (act === 'cancel') return comment === '' ? {} : { reason: comment };
  return { ...(act === 'approve' && { digest }), ...(comment !== '' && { comment }) };
}

function lineOf(act: Act, { id, digest }: RequestView, comment: string): string {
  const said = comment === '' ? [] : [act === 'cancel' ? '--reason' : '--comment', comment];
  if (act === 'approve') return commandLine('request', 'approve', id, '--digest', digest, ...said);
  return commandLine('request', act, id, ...(act === 'retry' ? [] : said));
}
