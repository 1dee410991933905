/** A run in words, and the load on a ledger. */
import type { ChaosReport } from './chaos.ts';

const listed = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ') || 'none';

const WELL =
  'None is lost, doubled, corrupt or stuck: each request ended as it had to, each commit restores what it says, the ledger is one line and agrees with the branch, git fsck finds nothing.';

export function reportText(report: ChaosReport): string {
  const { seed, rollbacks, workers, pace, seconds, perSecond, pushes, largest, events, starts } = report;
  return [
    `seed ${seed}: ${rollbacks} rollbacks, ${workers} workers, pace ${pace}, ${starts} start(s)`,
    `${seconds.toFixed(0)} s, ${perSecond.toFixed(1)} rollbacks/s; ${pushes} pushes, the largest with ${largest}; ${events} events`,
    `ended: ${listed(report.ends)}`,
    `troubles: ${listed(report.kinds)}; the bot pushed ${report.bot.pushed} times and was refused ${report.bot.refused} times`,
    `people tried again after: ${listed(report.refusals)}; ${report.retried} failed ones were retried`,
    ...report.problems.slice(0, 50).map((problem) => `PROBLEM: ${problem}`),
    report.problems.length === 0 ? WELL : `${report.problems.length} problems.`,
  ].join('\n');
}
