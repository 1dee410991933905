/** The clusters of the operator's file, behind one port. */
import {
  BacktrailError,
  type ClusterAnswer,
  type ClusterProblem,
  type Clusters,
  type Clock,
  isFailure,
} from '../../model/index.ts';
import { getApplications, refreshApplication } from './argocd-http.ts';
import { annotateObject, CONCURRENCY, getObjects, mayPatch } from './kubectl.ts';
import { type ClusterEntry, readClusters } from './operator.ts';
import { isAskable } from './questions.ts';
import { createTurns } from './turns.ts';

interface Setup {
  /** `BACKTRAIL_CLUSTERS` names the file; kubectl and its login plugins see the rest. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** When aborted, what is asked ends. */
  readonly signal: AbortSignal;
}

/** With what a doctor asks. */
export interface NudgeableClusters extends Clusters {
  /** Whether objects may be annotated; `resource`: `applications.argoproj.io`. Also false where it cannot be asked. */
  mayPatch(
    cluster: string,
    what: { readonly resource: string; readonly namespace: string | null },
  ): Promise<boolean>;
}

type Entries = ReadonlyMap<string, ClusterEntry> | ClusterProblem;

/** The file is read anew with every look: whoever corrects it starts nothing again. */
export function createClusters({ env, clock, signal: stop }: Setup): NudgeableClusters {
  const turnsOf = createTurns(CONCURRENCY);
  const entryOf = async (name: string): Promise<ClusterEntry | ClusterProblem> => {
    const entries = await entriesOf(env['BACKTRAIL_CLUSTERS']);
    if ('code' in entries) return entries;
    return entries.get(name) ?? problem(`The file that BACKTRAIL_CLUSTERS names does not list ${name}.`);
  };
  const get: Clusters['get'] = async (name, queries, signal) => {
    const entry = await entryOf(name);
    if ('code' in entry) return queries.map(() => unknown(entry));
    const askable = queries.filter(isAskable);
    const until = signal ? AbortSignal.any([signal, stop]) : stop;
    try {
      const found =
        entry.kind === 'argocd'
          ? await getApplications({ name, entry, env, clock, signal: until }, askable)
          : await getObjects({ entry, env, signal: until, inTurn: turnsOf(name) }, askable);
      return queries.map((query) => found.get(query) ?? unknown(NO_NAME));
    } catch (error) {
      if (!until.aborted) throw error;
      throw new BacktrailError('INTERRUPTED', `Asking ${name} was stopped.`, { cause: error });
    }
  };
  return {
    get,
    mayPatch: async (name, what) => {
      const entry = await entryOf(name);
      // Asking Argo CD to look needs no more than reading.
      if ('code' in entry || entry.kind === 'argocd') return !('code' in entry);
      return mayPatch({ entry, env, signal: stop, inTurn: turnsOf(name) }, what);
    },
    annotate: async (name, object, annotation) => {
      const entry = await entryOf(name);
      if ('code' in entry) return entry;
      if (!isAskable(object)) return NO_NAME;
      return entry.kind === 'argocd'
        ? refreshApplication({ name, entry, env, clock, signal: stop }, object)
        : annotateObject({ entry, env, signal: stop, inTurn: turnsOf(name) }, object, annotation);
    },
  };
}

async function entriesOf(path: string | undefined): Promise<Entries> {
  if (path === undefined || path === '')
    return problem('BACKTRAIL_CLUSTERS names no file that says how clusters are reached.');
  try {
    return await readClusters(path);
  } catch (error) {
    if (!isFailure(error)) throw error;
    // The message names a path of the machine that asks, and goes to callers from elsewhere.
    return problem('The file that BACKTRAIL_CLUSTERS names cannot be read; `backtrail doctor` says why.');
  }
}

const problem = (message: string): ClusterProblem => ({ code: 'CLUSTER_UNKNOWN', message });
const unknown = (why: ClusterProblem): ClusterAnswer => ({ objects: null, problem: why });

const NO_NAME: ClusterProblem = {
  code: 'NAME_INVALID',
  message: 'It has a name that Kubernetes does not allow.',
};
