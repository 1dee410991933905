/** What is in the way in a repository of this machine. */
import { quotePath } from '../model/index.ts';
import { type Check, shellWord } from '../model/index.ts';
import type { CommitGraph } from '../git/store/commit-graph.ts';
import type { Health, LockFile } from '../git/local/health.ts';
import { count, some } from './tree/index.ts';
import { attempt } from './attempt.ts';
import { command } from './command.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const repository = (
  name: string,
  status: Check['status'],
  said: Omit<Check, 'area' | 'name' | 'status'>,
): Check => ({ area: 'repository', name, status, ...said });

export async function checkHealth(health: Health, now: number): Promise<Check[]> {
  return [
    checkHistory(health),
    ...checkSettings(health),
    ...(await attempt('repository', 'locks', async () => checkLocks(health, await health.locks(), now))),
    ...(await attempt('repository', 'staging', () => checkStaging(health, now))),
    ...(await attempt('repository', 'commit-graph', () => checkGraph(health))),
  ];
}

function checkHistory({ shallow, partial, objectFormat, common }: Health): Check {
  const details = { shallow, partial, objectFormat };
  if (shallow)
    return repository('history', 'warn', {
      message:
        'The history is cut off (a shallow clone): revisions before the cut cannot be seen or restored.',
      hint: command(common, 'fetch --unshallow'),
      details,
    });
  if (partial)
    return repository('history', 'warn', {
      message:
        'Objects were left out when this was cloned (a partial clone), and Backtrail fetches none into it.',
      hint: 'Clone it anew without --filter, or name the remote with --repo URL.',
      details,
    });
  return repository('history', 'ok', { message: 'The history is complete.', details });
}

/** Nothing to mend: it says what will not happen. */
function checkSettings({ overridden, hooks }: Health): Check[] {
  const said = [
    ...(hooks.length > 0 ? [`runs no hooks (${some(hooks)})`] : []),
    ...(overridden.length > 0 ? [`overrides ${some(overridden, 5)}`] : []),
  ];
  if (said.length === 0) return [];
  const message = `Backtrail ${said.join(' and ')} of this repository's own configuration: they could run programs or change what it does.`;
  return [repository('settings', 'ok', { message, details: { overridden, hooks } })];
}

/** Younger ones may belong to a git that runs. */
function checkLocks({ directory }: Health, all: readonly LockFile[], now: number): Check {
  const old = all.filter(({ time }) => now - time > MINUTE);
  if (old.length === 0) return repository('locks', 'ok', { message: 'No lock file was left behind.' });
  const blocking = old.some(({ name }) => /^(index|HEAD|packed-refs)\.lock$|^refs\/heads\//.test(name));
  const minutes = Math.floor(Math.min(...old.map(({ time }) => now - time)) / MINUTE);
  return repository('locks', blocking ? 'fail' : 'warn', {
    message: `${count(old.length, 'lock file')} in ${quotePath(directory)}, at least ${count(minutes, 'minute')} old: ${some(old.map(({ name }) => name))}.`,
    hint: `If no git runs there: rm ${old.map(({ path }) => shellWord(path)).join(' ')}`,
    details: { locks: old.map(({ path }) => path), blocking },
  });
}

async function checkStaging(health: Health, now: number): Promise<Check> {
  const { common } = health;
  const left = (await health.staging()).filter(({ time }) => now - time > HOUR);
  if (left.length === 0) return repository('staging', 'ok', { message: 'No rollback left anything behind.' });
  return repository('staging', 'warn', {
    message: `${count(left.length, 'ref')} of rollbacks that did not end stayed behind, such as ${left[0]?.ref ?? ''}.`,
    hint: `The next rollback deletes those older than a day. At once, if none runs: ${command(common, "for-each-ref --format='delete %(refname)' refs/backtrail/staging/")} | ${command(common, 'update-ref --stdin')}`,
    details: { refs: left.map(({ ref }) => ref).slice(0, 50) },
  });
}

/** Below that many commits git is quick without. */
const FEW = 1000;

async function checkGraph(health: Health): Promise<Check | null> {
  const { common } = health;
  // Git writes none for a history that is cut off.
  if (health.shallow) return null;
  const [found, all] = await Promise.all([health.graph(), health.commits()]);
  const since = Math.max(0, all - (found?.commits ?? 0));
  const details = { commits: all, graph: found, since };
  const problem = graphProblem(found, all, since);
  if (problem === null) {
    const message = found?.changedPaths
      ? `The commit-graph knows the changed paths of all but ${since} of ${count(all, 'commit')}.`
      : `${count(all, 'commit')} can be searched quickly without a commit-graph.`;
    return repository('commit-graph', 'ok', { message, details });
  }
  return repository('commit-graph', 'warn', {
    message: `${problem} Histories take longer.`,
    hint: command(common, 'commit-graph write --reachable --changed-paths'),
    details,
  });
}

function graphProblem(graph: CommitGraph | null, all: number, since: number): string | null {
  if (all < FEW) return null;
  if (graph === null) return `There is no commit-graph for ${count(all, 'commit')}.`;
  if (!graph.changedPaths) return 'The commit-graph does not know which paths commits changed.';
  return since > Math.max(FEW, all / 10)
    ? `${count(since, 'commit')} are younger than the commit-graph.`
    : null;
}
