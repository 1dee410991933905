/** What would be done, before anybody asks for it: a row for each scope, what is in the way first. */
import type { Finding } from '../contract.ts';
import { Badge } from '../parts/badge.tsx';
import { Findings } from '../parts/findings.tsx';
import { Prose } from '../parts/prose.tsx';
import type { IncidentRow } from './asking.ts';
import { Cells, SomeRows, Table } from './rows.tsx';
import { approvalOf, counted, differencePath, impactOf, isTakeable, versionName } from './row-words.ts';

interface PreviewProps {
  readonly of: readonly IncidentRow[];
  /** Scopes that are not to be asked for. */
  readonly left: readonly string[];
  readonly to: string;
  readonly onLeave: (left: readonly string[]) => void;
}

export function Preview({ of, left, to, onLeave }: PreviewProps) {
  const sorted = of.toSorted((one, other) => rankOf(one) - rankOf(other));
  const takeable = of.filter(isTakeable);
  const toggle = (scope: string) =>
    onLeave(left.includes(scope) ? left.filter((each) => each !== scope) : [...left, scope]);
  return (
    <>
      <Summary of={of} left={left} />
      <div class="actions">
        <button type="button" disabled={left.length === 0} onClick={() => onLeave([])}>
          Take all
        </button>
        <button
          type="button"
          disabled={takeable.length === 0}
          onClick={() => onLeave(takeable.map(({ scope }) => scope))}
        >
          Leave all out
        </button>
      </div>
      <Table name="Plans" columns={['Scope', 'Versions', 'Impact', 'Approval', 'Findings']}>
        <SomeRows of={sorted}>
          {(row) => (
            <PlanRow
              key={row.requestId}
              of={row}
              to={to}
              isTaken={!left.includes(row.scope)}
              onToggle={toggle}
            />
          )}
        </SomeRows>
      </Table>
    </>
  );
}

function Summary({ of, left }: Pick<PreviewProps, 'of' | 'left'>) {
  const takeable = of.filter(isTakeable);
  const taken = takeable.filter(({ scope }) => !left.includes(scope));
  const sum = (pick: (plan: NonNullable<IncidentRow['plan']>) => number) =>
    taken.reduce((all, { plan }) => all + (plan ? pick(plan) : 0), 0);
  const said: readonly (readonly [number, string])[] = [
    [of.filter(({ error }) => error !== undefined).length, 'blocked'],
    [takeable.length - taken.length, 'left out'],
    [of.filter((row) => row.error === undefined && !isTakeable(row)).length, 'with nothing to do'],
    [taken.filter(({ plan }) => plan?.gate.needsApproval).length, 'to be approved by others'],
  ];
  return (
    <p class="verdict" role="status">
      <b>
        {taken.length} of {of.length} would be rolled back
      </b>
      :{' '}
      {counted(
        sum(({ impact }) => impact.files),
        'file',
      )}
      ,{' '}
      {counted(
        sum(({ impact }) => impact.fields),
        'field',
      )}
      {said.map(([count, text]) => (count > 0 ? `, ${count} ${text}` : ''))}.
    </p>
  );
}

interface RowProps {
  readonly of: IncidentRow;
  readonly to: string;
  readonly isTaken: boolean;
  readonly onToggle: (scope: string) => void;
}

function PlanRow({ of, to, isTaken, onToggle }: RowProps) {
  const { scope, target, plan, error, status } = of;
  const isFree = isTakeable(of);
  return (
    <tr role="row" data-row tabIndex={-1} class={error === undefined ? undefined : 'blocked'}>
      <Cells
        of={[
          <label class="tick">
            <input
              type="checkbox"
              aria-label={`Take ${scope}`}
              checked={isFree && isTaken}
              disabled={!isFree}
              onChange={() => onToggle(scope)}
            />
            <b>{scope}</b>
          </label>,
          plan === undefined ? (
            <span class="faint">to {to}</span>
          ) : (
            <>
              {versionName(plan.currentVersion, plan.current)} <span aria-hidden="true">→</span>
              <span class="hidden"> to </span> {versionName(plan.targetVersion, target)}
            </>
          ),
          plan === undefined ? <Badge state={status} /> : impactOf(plan),
          plan !== undefined && !plan.unchanged && error === undefined ? approvalOf(plan.gate) : null,
          <div class="beside">
            <Stands of={of} />
            {plan !== undefined && (
              <a class="target" href={differencePath(scope, plan.mode, target)} data-primary>
                Difference<span class="hidden"> of {scope}</span>
              </a>
            )}
          </div>,
        ]}
        names={['scope', 'versions', 'impact', 'approval', 'stands']}
      />
    </tr>
  );
}

/** Why it is blocked, each finding with what to do; what only warns is folded. */
function Stands({ of: { plan, error } }: { readonly of: IncidentRow }) {
  const { findings = [], overrides = [] } = plan ?? {};
  const blocks = findings.filter(({ severity }) => severity === 'block');
  const others = findings.filter(({ severity }) => severity !== 'block');
  return (
    <>
      {error !== undefined && blocks.length === 0 && (
        <div class="failure">
          <Badge state="block" name="blocked" /> {error.message} <span class="code">{error.code}</span>
          <span class="hint block">
            <Prose text={error.hint} />
          </span>
        </div>
      )}
      <Findings of={blocks} />
      {overrides.length > 0 && <p class="verdict warn">Overrides {overrides.join(', ')}.</p>}
      {others.length > 0 && (
        <details class="more">
          <summary>{othersName(others)}</summary>
          <Findings of={others} />
        </details>
      )}
    </>
  );
}

function othersName(findings: readonly Finding[]): string {
  const warnings = findings.filter(({ severity }) => severity === 'warn').length;
  const notes = findings.length - warnings;
  return [warnings > 0 && counted(warnings, 'warning'), notes > 0 && counted(notes, 'note')]
    .filter((part) => part)
    .join(', ');
}

/** Blocked, then with warnings, then the others; last what needs nothing. */
function rankOf(row: IncidentRow): number {
  if (row.error !== undefined) return 0;
  if (!isTakeable(row)) return 3;
  return row.plan?.findings.some(({ severity }) => severity === 'warn') ? 1 : 2;
}
