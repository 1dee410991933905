/** What open requests would change now, and what became of the votes on them. */
import type { IncidentReviewed } from '../contract.ts';
import { Badge } from '../parts/badge.tsx';
import { Findings } from '../parts/findings.tsx';
import { Prose } from '../parts/prose.tsx';
import { RefusedRows } from './refused-rows.tsx';
import { Cells, SomeRows, Table } from './rows.tsx';
import { impactOf, isVotable, type ReviewRow, versionName } from './row-words.ts';

interface ReviewTableProps {
  readonly of: readonly ReviewRow[];
  /** Requests that get no vote. */
  readonly left: readonly string[];
  readonly onToggle: (requestId: string) => void;
}

export function ReviewTable({ of, left, onToggle }: ReviewTableProps) {
  const sorted = of.toSorted(
    (one, other) => Number(one.error === undefined) - Number(other.error === undefined),
  );
  return (
    <Table name="Plans" columns={['Scope', 'Versions', 'Impact', 'Asked for by', 'Findings']}>
      <SomeRows of={sorted}>
        {(row) => (
          <PlanRow key={row.requestId} of={row} isTaken={!left.includes(row.requestId)} onToggle={onToggle} />
        )}
      </SomeRows>
    </Table>
  );
}

interface RowProps extends Pick<ReviewTableProps, 'onToggle'> {
  readonly of: ReviewRow;
  readonly isTaken: boolean;
}

function PlanRow({ of, isTaken, onToggle }: RowProps) {
  const { scope, requestId, target, author, plan, status, error } = of;
  const isFree = isVotable(of);
  return (
    <tr role="row" data-row tabIndex={-1}>
      <Cells
        names={['scope', 'versions', 'impact', 'author', 'stands']}
        of={[
          <label class="tick">
            <input
              type="checkbox"
              aria-label={`Vote on ${scope}`}
              checked={isFree && isTaken}
              disabled={!isFree}
              onChange={() => onToggle(requestId)}
            />
            <b>{scope}</b>
          </label>,
          plan === undefined ? (
            <>to {versionName(null, target)}</>
          ) : (
            <>
              {versionName(plan.currentVersion, plan.current)} <span aria-hidden="true">→</span>
              <span class="hidden"> to </span> {versionName(plan.targetVersion, target)}
            </>
          ),
          status === 'pending' ? plan !== undefined && impactOf(plan) : <Badge state={status} />,
          author,
          <div class="beside">
            {error !== undefined && (
              <p class="failure">
                {error.message} <span class="code">{error.code}</span>
                <span class="hint block">
                  <Prose text={error.hint} />
                </span>
              </p>
            )}
            {plan?.changed && <p class="failure">It is no longer what reviewers were asked about.</p>}
            <Findings of={(plan?.findings ?? []).filter(({ severity }) => severity !== 'info')} />
            <a class="target" href={`/requests/${requestId}`} data-primary>
              Difference<span class="hidden"> of {scope}</span>
            </a>
          </div>,
        ]}
      />
    </tr>
  );
}

/** What became of each vote; those that were refused say why. */
export function Voted({ of: { rollbacks } }: { readonly of: IncidentReviewed }) {
  const refused = rollbacks.filter(({ error }) => error !== undefined);
  const voted = rollbacks.filter((each) => each.voted).length;
  const failed = refused.filter((each) => each.voted).length;
  return (
    <>
      <p class="verdict" role="status">
        <b>
          {voted} of {rollbacks.length} voted on
        </b>
        {failed > 0 && `, ${failed} failed to be executed`}
        {refused.length > failed && `, ${refused.length - failed} got no vote`}.
      </p>
      <RefusedRows of={refused} />
    </>
  );
}
