import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, the longest first: one that starts last would be waited for alone. */
const LONGEST = [
  'scripts/incident-recovery',
  'journeys/killed-worker',
  'hostile/ledger',
  'cli/requests',
  'clone/situations',
  'git/ledger',
  'contracts/readers',
  'cli/queue',
  'journeys/ledger-load',
  'journeys/last-vote',
  'journeys/remote',
  'hostile/bombs',
  'cli/real-repository',
  'cli/doctor',
  'clone/follow',
  'clone/hostile',
  'hostile/times',
  'cli/process',
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
