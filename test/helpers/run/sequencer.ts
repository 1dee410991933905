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
  'hostile/bombs',
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

/** The longest first; the pure ones, which are short, last, as a worker loads its modules anew for them. */
export class LongestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(files.toSorted((a, b) => rank(a) - rank(b)));
  }
}

function rank({ moduleId, project }: TestSpecification): number {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}`));
  if (place >= 0) return place;
  return LONGEST.length + (project.name === 'fast' ? 1 : 0);
}
