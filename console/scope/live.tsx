/** Whether clusters run what Git holds. Where nothing says how to ask them, nothing is shown: what is not known is never said. */
import type { LiveStatus } from '../contract.ts';
import { scopeCall, type ScopeNames } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Badge } from '../parts/badge.tsx';
import { Loading, Problem } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';

/** What each state means, beside the word. */
const MEANS: Readonly<Record<LiveStatus['state'], string>> = {
  live: 'The cluster runs this revision.',
  progressing: 'The cluster is rolling this revision out.',
  pending: 'The cluster has not seen this revision yet.',
  degraded: 'The cluster has this revision, and it is not healthy.',
  overtaken: 'The cluster runs a later revision.',
  unconfirmed:
    'This revision is in Git, and nobody knows here whether it runs: what could not be found out is said below.',
};

export function Live({ names }: { readonly names: ScopeNames }) {
  const { value, problem } = useResource<LiveStatus>(scopeCall(names, '/live'));
  if (problem?.code === 'LIVE_NOT_CONFIGURED') return null;
  return (
    <section class="part live" aria-label="Live">
      <h2>Live</h2>
      {value === null && problem === null && <Loading lines={1} />}
      {value === null && problem !== null && <Problem problem={problem} />}
      {value !== null && <LiveState of={value} />}
    </section>
  );
}

export function LiveState({ of: { state, live } }: { readonly of: LiveStatus }) {
  return (
    <>
      <p>
        <Badge state={state} /> {MEANS[state]}
      </p>
      <ul class="rows">
        {live.map(({ source, cluster, object, state: own, message, code, observedAt }) => (
          <li class="row" key={`${source} ${cluster} ${object}`}>
            <Badge state={own} />
            <span class="grow">
              {message} {code !== undefined && <span class="code">{code}</span>}
              <br />
              <span class="faint">
                {object} in {cluster}, observed <Time at={observedAt} span /> ago
              </span>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
