/** Some rows of a history: asked for when they come near the screen, and drawn only while they are. */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { History } from '../contract.ts';
import { historyCall, type ScopeNames } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { useNear } from '../parts/near.ts';
import { Resource } from '../parts/states.tsx';
import { ranFor } from '../scope/revisions.ts';
import { RevisionRow } from './row.tsx';

const ROWS = 50;

export interface HistoryPageProps {
  readonly names: ScopeNames;
  /** `next` of the page before; empty: the newest. */
  readonly cursor: string;
  readonly isFirst: boolean;
  /** Whether this person may ask for a rollback here. */
  readonly mayAsk: boolean;
  /** Versions whose details are shown. */
  readonly open: ReadonlySet<string>;
  readonly onToggle: (version: string) => void;
  /** Its end comes near the screen. `next`: the cursor of the page after it. */
  readonly onEnd: (next: string) => void;
}

export function HistoryPage({ names, cursor, isFirst, mayAsk, open, onToggle, onEnd }: HistoryPageProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  const height = useRef(0);
  const isNear = useNear(body, { isFirst });
  const found = useResource<History>(historyCall(names, { limit: ROWS, cursor }));
  const next = found.value?.next ?? null;
  useEffect(() => {
    if (isNear && next !== null) onEnd(next);
  }, [isNear, next]);
  useLayoutEffect(() => {
    if (isNear && body.current !== null) height.current = body.current.offsetHeight;
  });
  if (!isNear && height.current > 0)
    return (
      <tbody ref={body} role="rowgroup">
        <tr role="row" style={{ height: `${height.current}px` }}>
          <td role="cell" colSpan={7}>
            <span class="hidden">Revisions further away</span>
          </td>
        </tr>
      </tbody>
    );
  const { value } = found;
  return (
    <tbody ref={body} role="rowgroup">
      {value === null || found.problem !== null || value.revisions.length === 0 ? (
        <tr role="row">
          <td role="cell" colSpan={7}>
            <Resource of={found} lines={6}>
              {({ revisions }) => revisions.length === 0 && 'No revision has changed this scope.'}
            </Resource>
          </td>
        </tr>
      ) : null}
      {value?.revisions.map((revision) => (
        <RevisionRow
          key={revision.commit}
          names={names}
          of={revision}
          ran={ranFor(value.revisions, revision)}
          mayAsk={mayAsk}
          isOpen={open.has(`v${revision.version}`)}
          onToggle={() => onToggle(`v${revision.version}`)}
        />
      ))}
    </tbody>
  );
}
