/** What went ahead without approval waits for somebody to look at it afterwards. */
import { useState } from 'preact/hooks';
import type { RequestView } from '../contract.ts';
import { call } from '../data/call.ts';
import type { Problem as ProblemValue } from '../data/problem.ts';
import { refresh } from '../data/resource.ts';
import { session } from '../data/session.ts';
import { Command } from '../parts/command.tsx';
import { LongText } from '../parts/long-text.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Problem } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';

export function Review({ of: { id, breakGlass, author, status } }: { readonly of: RequestView }) {
  if (breakGlass === null) return null;
  const known = session.value;
  const isOwn = known.state === 'signed-in' && known.me.person.email === author.email;
  const isOver = status === 'completed' || status === 'failed';
  const { ticket, review } = breakGlass;
  return (
    <section class="part stack" aria-label="Review">
      <h2>Review</h2>
      <p>It went ahead without approval, in a break-glass session{ticket !== null && ` (${ticket})`}.</p>
      {review === null ? (
        <Awaited {...{ id, isOwn, isOver }} />
      ) : (
        <p>
          Reviewed by <bdi>{review.actor.name}</bdi>, <Time at={review.at} />:{' '}
          <span class="reason">{review.comment}</span>
        </p>
      )}
    </section>
  );
}

function Awaited({
  id,
  isOwn,
  isOver,
}: {
  readonly id: string;
  readonly isOwn: boolean;
  readonly isOver: boolean;
}) {
  if (isOwn) return <p>It waits for the review of another person: nobody reviews their own.</p>;
  return isOver ? <ReviewForm id={id} /> : <p>It can be reviewed once it was executed.</p>;
}

function ReviewForm({ id }: { readonly id: string }) {
  const [comment, setComment] = useState('');
  const [problem, setProblem] = useState<ProblemValue | null>(null);
  const complete = async () => {
    setProblem(null);
    const answer = await call(`/break-glass/${id}/review`, { method: 'POST', body: { comment } });
    if (!answer.ok) setProblem(answer.problem);
    refresh();
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (comment.trim() !== '') void complete();
      }}
    >
      <LongText name="What you found" value={comment} onType={setComment} />
      <div class="actions">
        <button type="submit" disabled={comment.trim() === ''}>
          Complete the review
        </button>
      </div>
      {problem !== null && <Problem problem={problem} />}
      <Command line={commandLine('break-glass', 'review', id, '--comment', comment || 'COMMENT')} />
    </form>
  );
}
