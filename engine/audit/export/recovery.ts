/** How long it took from the asking to the end. */
import type { AuditExport, ExportedChange } from './types.ts';

/** Of changes that the period holds the commit of. */
export function recoveryOf(changes: readonly ExportedChange[]): AuditExport['recovery'] {
  const seconds: number[] = [];
  let unmeasured = 0;
  for (const { within, kind, commit, times } of changes) {
    if (within !== 'commit' || kind !== 'rollback' || commit === null) continue;
    if (times.asked === null || times.completed === null) unmeasured += 1;
    else seconds.push((Date.parse(times.completed) - Date.parse(times.asked)) / 1000);
  }
  seconds.sort((one, other) => one - other);
  return { count: seconds.length, median: rank(seconds, 0.5), p95: rank(seconds, 0.95), unmeasured };
}

/** The nearest rank: a value that was measured. */
const rank = (sorted: readonly number[], part: number) =>
  sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? null;
