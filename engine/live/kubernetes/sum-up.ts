import { LIVE_STATES, type Observation } from '../../model/index.ts';
import { type Subject, observationOf } from '../judgement/judgement.ts';

/** Of one target; what is more is summed up in the last. */
const MOST_OBSERVATIONS = 200;

const rank = ({ state }: Observation) => LIVE_STATES.indexOf(state);

/**
 * The worst first, otherwise in the order of the manifests. What could not be asked for one reason is told once: objects of one kind that may not
 * be read, or all of a cluster that is away.
 */
export function sumUp(all: readonly Observation[], subject: Omit<Subject, 'object'>): readonly Observation[] {
  const told = onceEach(all).toSorted((one, other) => rank(one) - rank(other));
  if (told.length <= MOST_OBSERVATIONS) return told;
  const rest = told.slice(MOST_OBSERVATIONS - 1);
  const counts = LIVE_STATES.flatMap((state) => {
    const count = rest.filter((observation) => observation.state === state).length;
    return count > 0 ? [`${count} ${state}`] : [];
  });
  const more = observationOf(
    { ...subject, object: `${rest.length} more objects` },
    { state: rest[0]?.state ?? 'unconfirmed', message: `${counts.join(', ')}.` },
  );
  return [...told.slice(0, MOST_OBSERVATIONS - 1), more];
}

function onceEach(all: readonly Observation[]): readonly Observation[] {
  const groups = new Map<unknown, Observation[]>();
  for (const observation of all) {
    const { code, message } = observation;
    const key = isOfCluster(observation) ? JSON.stringify([code, message]) : observation;
    const group = groups.get(key);
    if (group) group.push(observation);
    else groups.set(key, [observation]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined || group.length === 1) return group;
    const kinds = new Set(group.map(({ object }) => object.split(' ')[0]));
    return [{ ...first, object: `${group.length} ${kinds.size === 1 ? [...kinds][0] : 'manifest'} objects` }];
  });
}

/** What ClusterProblem has, and nothing that an observer found. */
const isOfCluster = ({ state, code = '' }: Observation) =>
  state === 'unconfirmed' && /^(?:CLUSTER|KUBECTL|RESOURCE)_|^NAMESPACE_MISSING$/.test(code);
