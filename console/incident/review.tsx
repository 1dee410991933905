/** All open requests of an incident, decided on by one person at once: one table of plans, one question, a vote each for the plan that was shown. */
import { useState } from 'preact/hooks';
import type { IncidentPlans, IncidentReviewed } from '../contract.ts';
import { call } from '../data/call.ts';
import type { Problem as ProblemValue } from '../data/problem.ts';
import { refresh } from '../data/resource.ts';
import { Command } from '../parts/command.tsx';
import { LongText } from '../parts/long-text.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Loading, Problem } from '../parts/states.tsx';
import { Confirm } from './confirm.tsx';
import { ReviewTable, Voted } from './review-table.tsx';
import { isVotable, type ReviewRow, voteOn } from './row-words.ts';

type Act = 'approve' | 'reject';

/** Milliseconds: hundreds of plans take their time. */
const PATIENCE = 600_000;

interface ReviewProps {
  readonly id: string;
  /** Some of it waits for approval. */
  readonly isOpen: boolean;
  /** Emails. */
  readonly authors: readonly string[];
}

export function Review({ id, isOpen, authors }: ReviewProps) {
  const [plans, setPlans] = useState<IncidentPlans | null>(null);
  const [isLoading, setLoading] = useState(false);
  const [problem, setProblem] = useState<ProblemValue | null>(null);
  const [voted, setVoted] = useState<IncidentReviewed | null>(null);
  const path = `/incidents/${encodeURIComponent(id)}`;
  const look = async () => {
    setLoading(true);
    setProblem(null);
    setVoted(null);
    const answer = await call<IncidentPlans>(`${path}/plans`, { patience: PATIENCE });
    setLoading(false);
    if (!answer.ok) setProblem(answer.problem);
    else setPlans(answer.value);
  };
  const vote = async (act: Act, rows: readonly ReviewRow[], comment: string) => {
    setProblem(null);
    const body = {
      votes: rows.map((row) => voteOn(row, act)),
      ...(comment !== '' && { comment }),
    };
    const answer = await call<IncidentReviewed>(`${path}/${act}`, {
      method: 'POST',
      body,
      patience: PATIENCE,
    });
    setPlans(null);
    if (answer.ok) setVoted(answer.value);
    else setProblem(answer.problem);
    refresh();
  };
  if (!isOpen && plans === null && voted === null && problem === null) return null;
  return (
    <section class="part stack" aria-label="Decision">
      <h2>Decision</h2>
      {problem !== null && <Problem problem={problem} />}
      {voted !== null && <Voted of={voted} />}
      {isOpen && plans === null && !isLoading && (
        <div class="actions">
          <button type="button" class="primary" onClick={() => void look()}>
            Look at the plans
          </button>
          <span class="hint">Before anybody approves or rejects what waits.</span>
        </div>
      )}
      {isLoading && <Loading lines={4} />}
      {plans !== null && <Deciding id={id} of={plans.rollbacks} authors={authors} onVote={vote} />}
    </section>
  );
}

interface DecidingProps {
  readonly id: string;
  readonly of: readonly ReviewRow[];
  readonly authors: readonly string[];
  readonly onVote: (act: Act, rows: readonly ReviewRow[], comment: string) => Promise<void>;
}

function Deciding({ id, of, authors, onVote }: DecidingProps) {
  const [left, setLeft] = useState<readonly string[]>([]);
  const [by, setBy] = useState(authors.length === 1 ? (authors[0] ?? '') : '');
  const [comment, setComment] = useState('');
  const [asked, setAsked] = useState<Act | null>(null);
  const own = of.filter(({ author }) => by === '' || author === by);
  const taken = by === '' ? [] : own.filter((row) => isVotable(row) && !left.includes(row.requestId));
  const rowsOf = {
    approve: taken.filter(({ error }) => error === undefined),
    reject: taken.filter(({ may }) => may === undefined || may.reject.allowed),
  };
  const said = [
    ...(authors.length > 1 && by !== '' ? ['--author', by] : []),
    ...(comment === '' ? [] : ['--comment', comment]),
  ];
  return (
    <>
      {authors.length > 1 && <Asker of={authors} value={by} onChoose={setBy} />}
      <ReviewTable
        of={own}
        left={left}
        onToggle={(row) => setLeft(left.includes(row) ? left.filter((each) => each !== row) : [...left, row])}
      />
      <LongText name="Comment" value={comment} onType={setComment} />
      <div class="actions way-on">
        {ACTS.map(([act, name]) => (
          <button
            key={act}
            type="button"
            class={act === 'approve' ? 'primary' : undefined}
            disabled={rowsOf[act].length === 0}
            onClick={() => setAsked(act)}
          >
            {name} {rowsOf[act].length}
          </button>
        ))}
        {by === '' && <span class="hint">Several people asked under this id: say whose are meant.</span>}
        {by !== '' && taken.length === 0 && (
          <span class="hint">There is nothing here that you may decide on.</span>
        )}
      </div>
      {ACTS.map(([act]) => (
        <Command key={act} line={commandLine('request', act, '--incident', id, ...said)} />
      ))}
      {asked !== null && (
        <Confirm
          act={asked}
          of={rowsOf[asked]}
          onClose={() => setAsked(null)}
          onConfirm={() => onVote(asked, rowsOf[asked], comment).finally(() => setAsked(null))}
        />
      )}
    </>
  );
}

const ACTS = [
  ['approve', 'Approve'],
  ['reject', 'Reject'],
] as const;

function Asker({
  of,
  value,
  onChoose,
}: {
  readonly of: readonly string[];
  readonly value: string;
  readonly onChoose: (email: string) => void;
}) {
  return (
    <label class="field">
      <span>Asked for by</span>
      <select value={value} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
        <option value="">Choose whose are meant</option>
        {of.map((email) => (
          <option key={email} value={email}>
            {email}
          </option>
        ))}
      </select>
    </label>
  );
}
