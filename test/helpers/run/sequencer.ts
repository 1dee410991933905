import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, the longest first: one that starts last would be waited for alone. Those that mostly wait stand between those that work. */
const LONGEST = [
  'pull-requests/changed',
  'pull-requests/other-hosts',
  'requests/pull-requests',
  'pull-requests/auto',
  'pull-requests/base',
  'pull-requests/take-back',
  'pull-requests/worker',
  'hosts/contract',
  'requests/arrivals',
  'git/transports',
  'engine/surface',
  'scripts/incident-recovery',
  'rollback/batch-raced',
  'requests/serial',
  'clone/situations',
  'git/mirror',
  'cli/queue/queue',
  'journeys/lost-queue',
  'scripts/release',
  'requests/requests',
  'journeys/killed-worker',
  'cli/requests/incident',
  'journeys/killed-batch',
  'workers/processes',
  'engine/git/ledger',
  'scripts/first-rollback',
  'workers/worker',
  'journeys/chaos',
  'workers/outage',
  'differential/kustomize',
  'journeys/damaged-mirror',
  'journeys/approvals-policy',
  'cli/requests/executed-by-workers',
  'requests/ledger-index',
  'cli/repository/offline',
  'redis/groups',
  'requests/request-id',
  'requests/atomic',
  'requests/batches',
  'hostile/ledger/changed-past',
  'cli/requests/approve-and-retry',
  'hostile/ledger/files',
  'hostile/ledger/approvals',
  'contracts/readers-agree',
  'journeys/ledger-load',
  'journeys/last-vote',
  'journeys/remote',
  'hostile/bombs',
  'cli/repository/real-repository',
  'cli/doctor/doctor',
  'clone/follow',
  'clone/hostile',
  'hostile/times',
  'cli/program/process',
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
