/** What automation must not move: who held it, why, until when, and whether it still is as it was held. */
import { useState } from 'preact/hooks';
import type { Hold } from '../contract.ts';
import { Badge } from '../parts/badge.tsx';
import { Time } from '../parts/time.tsx';
import { ResumeDialog } from './resume-dialog.tsx';

export function HoldList({ of }: { readonly of: readonly Hold[] }) {
  const [resumed, setResumed] = useState<Hold | null>(null);
  return (
    <>
      <ul class="holds">
        {of.map((hold) => (
          <li class="card hold" key={hold.path} data-row tabIndex={-1}>
            <Head of={hold} />
            <ul class="fields">
              {hold.fields.map((field) => (
                <FieldRow key={`${field.path}#${field.selector}`} of={field} />
              ))}
            </ul>
            <div class="actions">
              <button type="button" onClick={() => setResumed(hold)}>
                Resume automation<span class="hidden"> of {hold.scope}</span>
              </button>
              <a href={`/requests/${hold.requestId}`}>Its request</a>
            </div>
          </li>
        ))}
      </ul>
      {resumed !== null && <ResumeDialog hold={resumed} onClose={() => setResumed(null)} />}
    </>
  );
}

function Head({ of: { scope, state, reason, author, since, until } }: { readonly of: Hold }) {
  return (
    <>
      <p>
        <Badge state={state} /> <b>{scope}</b>
      </p>
      <p class="reason">{reason}</p>
      <p class="faint">
        {author}, since <Time at={since} quiet />,{' '}
        {until === null ? (
          'until somebody resumes automation'
        ) : (
          <>
            until <Time at={until} quiet />
          </>
        )}
      </p>
    </>
  );
}

function FieldRow({ of: { path, selector, held, now, broken } }: { readonly of: Hold['fields'][number] }) {
  return (
    <li>
      <code class="path">{selector === '' ? path : `${path}#${selector}`}</code>{' '}
      <span>
        held at <code>{held ?? 'absent'}</code>
      </span>
      {broken && (
        <span class="failure">
          {' '}
          <Badge state="broken" /> now <code>{now ?? 'absent'}</code>
        </span>
      )}
    </li>
  );
}
