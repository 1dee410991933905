import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, the longest first: one that starts last would be waited for alone. Those that mostly wait stand between those that work. */
export const LONGEST = [
  'audit/arrived',
  'remote/transports',
  'engine/surface',
  'contracts/readers-agree',
  'tampering/audit',
  'workers/processes',
  'requests/arrivals',
  'cli/queue/queue',
  'journeys/killed-worker',
  'pull-requests/auto',
  'workers/outage',
  'cli/requests/incident',
  'scripts/incident-recovery',
  'redis/groups',
  'hosts/contract',
  'clone/situations',
  'requests/requests',
  'git/ledger/ledger',
  'remote/mirror',
  'requests/atomic',
  'cases/cases',
  'journeys/chaos',
  'cli/requests/list-and-notes',
  'cli/program/startup',
  'pull-requests/take-back',
  'workers/worker',
  'ledger/ledger-index',
  'cli/requests/request-id',
  'clone/follow',
  'store/objects',
  'cli/repository/offline',
  'cli/requests/approve-and-retry',
  'deployments/trust',
  'cli/doctor/doctor',
  'git/contract',
  'journeys/ledger-load',
  'cli/requests/executed-by-workers',
  'hostile/ledger/approvals',
  'cli/requests/audit',
  'render/programs',
  'pull-requests/worker',
  'rollback/batch',
  'cli/queue/reconcile',
  'pull-requests/base',
  'redis/repository-lease',
  'hostile/requests',
  'cli/requests/pull-requests',
  'requests/batches',
  'cli/requests/break-glass',
  'workers/queue/queue',
  'pull-requests/changed',
  'journeys/remote',
  'journeys/lost-queue',
].map((name) => `${name}.test.ts`);

/** They leave their worker with much memory, so that each git that it starts afterwards takes longer. */
export const LARGEST = ['render/kustomize', 'hostile/bombs', 'hostile/without-git'].map(
  (name) => `${name}.test.ts`,
);

/** Kinds one after the other, as a worker loads its modules anew for each; of a kind the longest first, and the largest last. */
export class LongestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(files.toSorted((a, b) => rank(a) - rank(b)));
  }
}

const KINDS = ['full', 'serving', 'fast'];

function rank({ moduleId, project }: TestSpecification): number {
  const placeIn = (names: readonly string[]) => names.findIndex((name) => moduleId.endsWith(`/${name}`));
  const [longest, largest] = [placeIn(LONGEST), placeIn(LARGEST)];
  // Between both those that nothing is said of.
  const place = longest >= 0 ? longest - LONGEST.length : largest + 1;
  return KINDS.indexOf(project.name) * 1000 + place;
}
