/** From one revision to another, or to what is there now. */
import { useLocation, useRoute } from 'preact-iso';
import type { Comparison, History } from '../contract.ts';
import { environmentCall, historyCall, queryOf, scopeName, scopePath } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Difference } from '../difference/difference.tsx';
import { ViewChoice } from '../difference/view.tsx';
import { Command } from '../parts/command.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Empty, Resource } from '../parts/states.tsx';
import { currentOf } from '../scope/revisions.ts';
import type { PanelProps } from '../scope/panel-props.ts';

export function ComparePanel({ names }: PanelProps) {
  const { query } = useRoute();
  const { route } = useLocation();
  const history = useResource<History>(historyCall(names, { limit: 200 }));
  const revisions = history.value?.revisions ?? [];
  const current = currentOf(revisions)?.version ?? 1;
  const from = query['from'] || (current === 1 ? '' : `v${current - 1}`);
  const to = query['to'] ?? '';
  const go = (sides: { from?: string; to?: string }) =>
    route(scopePath(names, 'compare', { from, to, ...sides }), true);
  return (
    <>
      <div class="sides">
        <Side label="From" value={from} revisions={revisions} onChoose={(chosen) => go({ from: chosen })} />
        <Side label="To" value={to} revisions={revisions} isNow onChoose={(chosen) => go({ to: chosen })} />
      </div>
      {from !== '' && <Compared names={names} from={from} to={to} />}
      {from === '' && (
        <Resource of={history} lines={4}>
          {() => <Empty>There is no earlier revision to compare with.</Empty>}
        </Resource>
      )}
      <Command line={commandLine('compare', scopeName(names), from || 'previous', to || null)} />
    </>
  );
}

function Side({
  label,
  value,
  revisions,
  isNow = false,
  onChoose,
}: {
  readonly label: string;
  readonly value: string;
  readonly revisions: History['revisions'];
  /** It may be what is there now. */
  readonly isNow?: boolean;
  readonly onChoose: (revision: string) => void;
}) {
  const isKnown = value === '' || revisions.some(({ version }) => `v${version}` === value);
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
        {isNow && <option value="">What is there now</option>}
        {!isKnown && <option value={value}>{value}</option>}
        {revisions.map(({ version, subject, time }) => (
          <option key={version} value={`v${version}`}>
            {`v${version} · ${time.slice(0, 10)} · ${subject.slice(0, 80)}`}
          </option>
        ))}
      </select>
    </label>
  );
}

interface ComparedProps extends Pick<PanelProps, 'names'> {
  readonly from: string;
  readonly to: string;
}

function Compared({ names, from, to }: ComparedProps) {
  const { service } = names;
  const found = useResource<Comparison>(
    `${environmentCall(names, '/compare')}${queryOf({ service, from, to })}`,
  );
  return (
    <Resource of={found} lines={8}>
      {({ changes }) => (
        <>
          {changes.length === 0 ? <Empty>Nothing differs between them.</Empty> : <ViewChoice />}
          {changes.map(({ service: of, files }) => (
            <section class="part" key={of ?? ''}>
              <h2>{of ?? 'The environment itself'}</h2>
              <Difference files={files} />
            </section>
          ))}
        </>
      )}
    </Resource>
  );
}
