/** How the cluster differs from what was delivered. */
import type { Drift } from '../contract.ts';
import { scopeCall, scopeName } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Badge } from '../parts/badge.tsx';
import { Command } from '../parts/command.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Empty, Resource } from '../parts/states.tsx';
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

function Objects({ of: { objects, commit } }: { readonly of: Drift }) {
  const sorted = objects.toSorted((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state));
  const differing = objects.filter(({ state }) => state !== 'same' && state !== 'unchecked').length;
  return (
    <>
      <p>
        {differing === 0 ? 'No object differs' : `${differing} of ${objects.length} objects differ`} from what
        was delivered at <code>{commit.slice(0, 12)}</code>.
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

const shown = (value: unknown): string =>
  value === undefined ? 'absent' : typeof value === 'string' ? value : JSON.stringify(value);
