/** The one question before many votes. */
import { useState } from 'preact/hooks';
import { Dialog } from '../parts/dialog.tsx';
import type { ReviewRow } from './row-words.ts';

const SHOWN = 12;

export function Confirm({
  act,
  of,
  onClose,
  onConfirm,
}: {
  readonly act: 'approve' | 'reject';
  readonly of: readonly ReviewRow[];
  readonly onClose: () => void;
  readonly onConfirm: () => Promise<void>;
}) {
  const [isSending, setSending] = useState(false);
  const what = `${of.length} ${of.length === 1 ? 'rollback' : 'rollbacks'}`;
  return (
    <Dialog title={`${act === 'approve' ? 'Approve' : 'Reject'} ${what}?`} onClose={onClose}>
      <div class="stack">
        <p>
          {act === 'approve'
            ? 'Each vote is for the plan that was shown. What has enough approvals then is executed at once.'
            : 'What is rejected is not executed; it has to be asked for anew.'}
        </p>
        <ul class="fields">
          {of.slice(0, SHOWN).map(({ scope, requestId }) => (
            <li key={requestId}>{scope}</li>
          ))}
          {of.length > SHOWN && <li class="faint">and {of.length - SHOWN} more</li>}
        </ul>
        <div class="actions">
          <button
            type="button"
            class="primary"
            disabled={isSending}
            onClick={() => {
              setSending(true);
              void onConfirm();
            }}
          >
            Yes, {act} {of.length}
          </button>
          {isSending && (
            <span class="hint" role="status">
              A moment…
            </span>
          )}
        </div>
      </div>
    </Dialog>
  );
}
