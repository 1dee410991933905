import type { LiveTarget, Relation } from '../../model/index.ts';
import type { ObserverContext } from '../observer.ts';

/** How what a cluster names stands to what it is to run. */
export interface Standing {
  /** null: it names nothing. */
  readonly relation: Relation | null;
  /** As the cluster names it. */
  readonly revision: string | null;
  /** It holds a later revision of the scope. */
  readonly isLater: boolean;
}

const WORST: readonly Relation[] = ['unknown', 'elsewhere', 'before', 'contains'];

/** Of several revisions of one object (an Application with several sources), the one that is farthest from ours. */
export async function standingOf(
  revisions: readonly string[],
  target: LiveTarget,
  context: ObserverContext,
): Promise<Standing> {
  const known = await Promise.all(
    [...new Set(revisions)].map(async (revision) => ({
      revision,
      relation: await context.relation(revision, target.contains),
    })),
  );
  const [worst] = known.toSorted((one, other) => WORST.indexOf(one.relation) - WORST.indexOf(other.relation));
  if (worst === undefined) return { relation: null, revision: null, isLater: false };
  const isLater = worst.relation === 'contains' && (await context.isLater(worst.revision, target));
  return { ...worst, isLater };
}

/** A commit as messages name it. */
export const short = (revision: string | null) =>
  revision === null
    ? 'no revision'
    : /^[0-9a-f]{40,64}$/.test(revision)
      ? revision.slice(0, 8)
      : revision.slice(0, 60);
