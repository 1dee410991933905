/** All holds, newest first. */
import type { Holds as Value } from '../contract.ts';
import { useResource } from '../data/resource.ts';
import { HoldList } from '../holds/hold-list.tsx';
import { Command } from '../parts/command.tsx';
import { Findings } from '../parts/findings.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Empty, Resource } from '../parts/states.tsx';
import { Title } from '../parts/title.tsx';

export function Holds() {
  const found = useResource<Value>('/holds?limit=500');
  return (
    <>
      <Title name="Holds" />
      <Resource of={found} lines={6}>
        {({ holds, findings = [], partial = false, next }) => (
          <>
            <Findings of={findings} />
            {holds.length === 0 ? (
              <Empty>
                {partial
                  ? 'Nothing is held in what you may see.'
                  : 'Nothing is held: automation may move everything.'}
              </Empty>
            ) : (
              <HoldList of={holds} />
            )}
            {partial && <p class="hint">Holds of environments that you may not see are not shown.</p>}
            {next !== null && <p class="hint">These are the newest 500; the command line lists all.</p>}
          </>
        )}
      </Resource>
      <Command line={commandLine('holds')} />
    </>
  );
}
