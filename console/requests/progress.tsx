/** What becomes of a request while it is executed, step by step, and what became of it. */
import type { RequestView } from '../contract.ts';
import { connection } from '../data/events.ts';
import { useStep } from './step.ts';

/** As workers report them. */
const STEPS = ['planned', 'staged', 'delivered', 'published', 'verified'] as const;

export function Progress({ of }: { readonly of: RequestView }) {
  const { id, status, result, proposed } = of;
  const step = useStep(id);
  const last = STEPS.findIndex((each) => each === step);
  // What waits to be merged is with its host, and with no worker.
  const isRunning = status === 'executing' || (status === 'approved' && proposed === null);
  return (
    <>
      {(isRunning || (status === 'completed' && last >= 0)) && (
        <section class="part" aria-label="Steps of the execution">
          <h2>{titleOf(isRunning, last)}</h2>
          <ol class="progress">
            {STEPS.map((step, index) => {
              const isDone = index <= last || status === 'completed';
              return (
                <li key={step} class={isDone ? 'done' : undefined}>
                  <span aria-hidden="true">{isDone ? '✓' : '○'}</span> {step}
                  <span class="hidden">{isDone ? ' done' : ' not yet'}</span>
                </li>
              );
            })}
          </ol>
          <p class="hint" role="status">
            {saysOf(isRunning, last)}
          </p>
        </section>
      )}
      {result?.status === 'failed' && (
        <section class="problem broken" role="alert">
          <h2>It failed</h2>
          <p>{result.message}</p>
          <p class="code">{result.code}</p>
        </section>
      )}
      {result !== null && result.status !== 'failed' && <Done of={result} />}
    </>
  );
}

function titleOf(isRunning: boolean, last: number): string {
  if (!isRunning) return 'It was executed';
  return last < 0 ? 'It is about to be executed' : 'It is executed';
}

function saysOf(isRunning: boolean, last: number): string {
  if (!isRunning) return '';
  if (connection.value !== 'live')
    return 'Steps are not told live now: the server is asked every few seconds.';
  return last < 0 ? 'It waits for a worker, or its first step.' : `${STEPS[last]}.`;
}

function Done({ of }: { readonly of: Exclude<RequestView['result'], null | { status: 'failed' }> }) {
  const { status, commit, deliveryCommit, arrived } = of;
  if (status === 'unchanged') return <p>Nothing had to be changed.</p>;
  return (
    <p>
      It is in Git{arrived !== undefined && ` (${arrived.how})`}: commit <code>{commit ?? 'unknown'}</code>
      {deliveryCommit !== null && (
        <>
          , manifests <code>{deliveryCommit}</code>
        </>
      )}
      .
    </p>
  );
}
