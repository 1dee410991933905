/** What waits to be merged, and what to do about it. */
import type { RollbackResult } from '../../engine/index.ts';
import { shellWord } from '../../engine/model/path.ts';
import { oneLine } from '../terminal/clean.ts';
import type { Style } from './style.ts';

type PullRequest = NonNullable<RollbackResult['pullRequest']>;

/** `#12 open, checks: 3 of 5 passed, 1 failed` */
export function pullRequestText({ number, state, statusChecks }: Omit<PullRequest, 'url'>): string {
  return [`#${number} ${state}`, ...(statusChecks === null ? [] : [checksText(statusChecks)])].join(', ');
}

function checksText({ total, passed, failed, pending }: NonNullable<PullRequest['statusChecks']>): string {
  if (total === 0) return 'no checks';
  const rest = [...(failed > 0 ? [`${failed} failed`] : []), ...(pending > 0 ? [`${pending} pending`] : [])];
  return [`checks: ${passed} of ${total} passed`, ...rest].join(', ');
}

/** Below the result of a rollback that is `proposed`. */
export function proposedLines(style: Style, { proposed, pullRequest, requestId }: RollbackResult): string[] {
  if (proposed === undefined) return [];
  const [branch, into] = [oneLine(proposed.branch), oneLine(proposed.into)];
  if (pullRequest)
    return [
      `  pull request  ${style.paint('cyan', oneLine(pullRequest.url))} (${pullRequestText(pullRequest)})`,
      `  It waits to be merged into ${style.paint('reset', into)}; \`backtrail request show ${requestId}\` follows it.`,
    ];
  if (proposed.via === 'pull-request')
    return [
      `  branch    ${branch}`,
      `  Its pull request is not known yet; a worker opens it, and \`backtrail request show ${requestId}\` shows it.`,
    ];
  return [`  branch    ${branch}`, ...mergeLines({ branch, into }).map((line) => `  ${line}`)];
}

/** What to do with a branch that nobody has opened a pull request for. */
function mergeLines(names: { readonly branch: string; readonly into: string }): string[] {
  const [branch, into, tracking] = [names.branch, names.into, `origin/${names.into}`].map(shellWord);
  return [
    `Open a pull request of ${names.branch} into ${names.into}, or merge it where you may push:`,
    `  git fetch origin ${branch} && git log -p FETCH_HEAD --not ${tracking}`,
    `  git switch ${into} && git pull --ff-only && git merge --no-ff FETCH_HEAD && git push origin ${into}`,
    'A worker, or `backtrail reconcile`, records it as completed once it is there.',
  ];
}
