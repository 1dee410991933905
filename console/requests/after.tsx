/** After `completed`: what it changed, and whether it is live. That is told beside it, and never assumed. */
import { useEffect } from 'preact/hooks';
import type { Comparison, RequestView, RollbackLive } from '../contract.ts';
import { environmentCall, queryOf } from '../data/paths.ts';
import { refresh, useResource } from '../data/resource.ts';
import { Difference } from '../difference/difference.tsx';
import { ViewChoice } from '../difference/view.tsx';
import { Command } from '../parts/command.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Empty, Loading, Problem, Resource } from '../parts/states.tsx';
import { LiveState } from '../scope/live.tsx';

/** Milliseconds: how often it is asked while it is on its way. */
const EVERY_MS = 5000;

export function After({ of }: { readonly of: RequestView }) {
  return (
    <>
      <Live of={of} />
      {of.result?.status === 'completed' && <Changed of={of} commit={of.result.commit} />}
    </>
  );
}

function Live({ of: { id, scopeName } }: { readonly of: RequestView }) {
  const path = `/rollbacks/${id}/live`;
  const { value, problem } = useResource<RollbackLive>(path);
  const isMoving = value?.state === 'pending' || value?.state === 'progressing';
  useEffect(() => {
    if (!isMoving) return undefined;
    const timer = setInterval(() => refresh((each) => each === path), EVERY_MS);
    return () => clearInterval(timer);
  }, [isMoving, path]);
  return (
    <section class="part live" aria-label="Live">
      <h2>Live</h2>
      {problem?.code === 'LIVE_NOT_CONFIGURED' ? (
        <Empty>
          It is in Git. Nothing says which cluster it is delivered to, so nobody knows here whether it runs.
        </Empty>
      ) : (
        <>
          {value === null && problem === null && <Loading lines={1} />}
          {value === null && problem !== null && <Problem problem={problem} />}
          {value !== null && <LiveState of={value} />}
        </>
      )}
      <Command line={commandLine('status', scopeName, '--wait', '10m')} />
    </section>
  );
}

function Changed({
  of: { scope, base },
  commit,
}: {
  readonly of: RequestView;
  readonly commit: string | null;
}) {
  const sides = queryOf({ service: scope.service, from: base, to: commit });
  const found = useResource<Comparison>(
    commit === null ? null : `${environmentCall(scope, '/compare')}${sides}`,
  );
  if (commit === null) return null;
  return (
    <section class="part" aria-label="Changes">
      <h2>What it changed</h2>
      <Resource of={found} lines={4}>
        {({ changes }) => (
          <>
            {changes.length === 0 ? <Empty>Nothing differs now.</Empty> : <ViewChoice />}
            {changes.map(({ service, files }) => (
              <section class="part" key={service ?? ''}>
                <h3>{service ?? 'The environment itself'}</h3>
                <Difference files={files} />
              </section>
            ))}
          </>
        )}
      </Resource>
    </section>
  );
}
