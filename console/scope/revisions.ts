/** What a history says of what runs, and of what ran before. */
import type { Revision } from '../contract.ts';

/** Newest first, as histories are. */
export const currentOf = (revisions: readonly Revision[]): Revision | null =>
  revisions.find(({ current }) => current) ?? null;

/** Milliseconds from a revision to the one after it; null: it is the newest, or that one is not here. */
export function ranFor(
  revisions: readonly Pick<Revision, 'version' | 'time'>[],
  { version }: Pick<Revision, 'version'>,
): number | null {
  const [own, next] = [version, version + 1].map((wanted) =>
    revisions.find((each) => each.version === wanted),
  );
  if (own === undefined || next === undefined) return null;
  return Math.max(0, Date.parse(next.time) - Date.parse(own.time));
}

export function changedSince(revisions: readonly Revision[], since: number): readonly Revision[] {
  return revisions.filter(({ time }) => Date.parse(time) >= since);
}
