/** After a submission: what nobody knows the answer to, and what was not done. */
import { Command } from '../parts/command.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Problem } from '../parts/states.tsx';
import type { Asking, IncidentRow } from './asking.ts';
import type { Sent } from './draft.ts';
import { RefusedRows } from './refused-rows.tsx';
import { followPath } from './wish.ts';

/** It is sent again word for word, or looked for: something else could ask for it twice. */
export function Unanswered({
  of: { problem, again, startAnew },
  sent: { body },
}: {
  readonly of: Asking;
  readonly sent: Sent;
}) {
  const count = body.rollbacks.length;
  return (
    <section class="stack" aria-label="No answer yet">
      <p class="verdict warn" role="alert">
        <b>It was sent, and no answer came.</b> {count} {count === 1 ? 'rollback' : 'rollbacks'} may have been
        asked for. Sent again, what was asked for already is not asked for twice.
      </p>
      <p class="reason">{body.reason}</p>
      {problem !== null && <Problem problem={problem} />}
      <div class="actions">
        <button type="button" class="primary" onClick={() => void again()}>
          Send it again
        </button>
        <a class="button" href={followPath(body.id)}>
          Follow incident {body.id}
        </a>
        <button type="button" onClick={startAnew}>
          Start another one
        </button>
      </div>
      <Command line={commandLine('request', 'list', '--all', '--incident', body.id)} />
    </section>
  );
}

/** `id`: some of it was asked for; null: nothing was. */
export function NotDone({ of, id }: { readonly of: readonly IncidentRow[]; readonly id: string | null }) {
  const failed = of.filter(({ error }) => error !== undefined);
  return (
    <section class="stack" aria-label="What was not done">
      <p class="verdict failure" role="alert">
        <b>
          {id === null ? 'Nothing was asked for.' : `${failed.length} of ${of.length} were not asked for.`}
        </b>{' '}
        {id === null ? 'Look at the plans again.' : 'The others go on by themselves.'}
      </p>
      <RefusedRows of={failed} />
      {id !== null && (
        <p>
          <a class="button" href={followPath(id)}>
            Follow incident {id}
          </a>
        </p>
      )}
    </section>
  );
}
