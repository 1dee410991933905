/** How the cluster differs from what was delivered. */
import type { Drift } from '../contract.ts';
import { scopeCall, scopeName } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Badge } from '../parts/badge.tsx';
import { Command } from '../parts/command.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Empty, Resource } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import type { PanelProps } from '../scope/panel-props.ts';

/** Worst first. */
const ORDER = ['differs', 'missing', 'extra', 'unchecked', 'same'] as const;

export function DriftPanel({ names }: PanelProps) {
  const found = useResource<Drift>(scopeCall(names, '/drift'));
  const isUnknown = found.problem?.code === 'LIVE_NOT_CONFIGURED';
  return (
    <>
      {isUnknown ? (
        <Empty>
          Nothing says which cluster this is delivered to: <code>live</code> in the configuration of the
          branch names it. Nothing is known here of what runs.
        </Empty>
      ) : (
        <Resource of={found} lines={6}>
          {(drift) => <Objects of={drift} />}
        </Resource>
      )}
      <Command line={commandLine('drift', scopeName(names))} />
    </>
  );
}

function Objects({ of: { objects, commit, observedAt } }: { readonly of: Drift }) {
  const sorted = objects.toSorted((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state));
  return (
    <>
      <p>
        {summaryOf(objects)} what was delivered at <code>{commit.slice(0, 12)}</code>
        {observedAt !== undefined && (
          <span class="faint">
            , observed <Time at={observedAt} span /> ago
          </span>
        )}
        .
      </p>
      <ul class="rows">
        {sorted.map(({ cluster, kind, namespace, name, state, fields, message }) => (
          <li class="row drift" key={`${cluster} ${kind} ${namespace ?? ''} ${name}`} data-row tabIndex={-1}>
            <Badge state={state} />
            <div class="grow">
              <b>
                {kind} {namespace === null ? name : `${namespace}/${name}`}
              </b>{' '}
              <span class="faint">in {cluster}</span>
              {message !== undefined && <p class="hint">{message}</p>}
              {fields.map(({ path, desired, live }) => (
                <p class="values" key={path}>
                  <code class="path">{path}</code> <span class="faint">in Git</span>{' '}
                  <code>{shown(desired)}</code> <span class="faint">in the cluster</span>{' '}
                  <code>{shown(live)}</code>
                </p>
              ))}
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}

/** What could not be checked is never taken for the same. */
function summaryOf(objects: Drift['objects']): string {
  const all = `${objects.length} object${objects.length === 1 ? '' : 's'}`;
  const unchecked = objects.filter(({ state }) => state === 'unchecked').length;
  const differing = objects.filter(({ state }) => state !== 'same').length - unchecked;
  if (objects.length === 0) return 'There are no objects in';
  if (unchecked === objects.length) return `None of the ${all} could be checked against`;
  const rest = unchecked === 0 ? '' : `, and ${unchecked} could not be checked,`;
  return differing === 0 ? `No object differs${rest} from` : `${differing} of ${all} differ${rest} from`;
}

const shown = (value: unknown): string =>
  value === undefined ? 'absent' : typeof value === 'string' ? value : JSON.stringify(value);
