/** Where a commit is: what it follows, what it returns to, and the configuration that was in force there. */
import { ENGINE, isObjectId, type ObjectId, type Rules } from '../../model/index.ts';
import type { Layout } from '../../layout/layout.ts';
import type { RollbackRecord } from '../../record/trailers.ts';
import type { Audit } from '../audit.ts';
import type { CommitText } from '../line/commit-text.ts';
import { type Problem, problem } from '../problems.ts';

export interface Place {
  /** The commit before it. */
  readonly base: ObjectId;
  readonly baseTree: ObjectId;
  readonly layout: Layout;
}

export interface Placed {
  /** null: nothing can be made again there. */
  readonly place: Place | null;
  readonly problems: readonly Problem[];
}

export async function placeOf(
  audit: Audit,
  { id, parents }: CommitText,
  { base: named, target, engine }: Pick<RollbackRecord, 'base' | 'target' | 'engine'>,
): Promise<Placed> {
  const { line } = audit;
  const problems: Problem[] = [];
  const [base] = parents;
  if (base === undefined)
    return { place: null, problems: [problem('PARENTS', 'It has no parent, and so nothing to roll back.')] };
  if (!line.places.has(base))
    return {
      place: null,
      problems: [problem('SHALLOW', `The commit before it, ${short(base)}, was never fetched.`)],
    };
  if (parents.length > 1)
    problems.push(problem('PARENTS', `It has ${parents.length} parents: Backtrail writes no merges.`));
  if (named !== base)
    problems.push(
      problem('BASE_DIFFERS', `It follows ${short(base)}, and says that it was made on ${short(named)}.`),
    );
  const at = line.places.get(id) ?? 0;
  const then = line.places.get(target);
  if (then === undefined || then <= at) {
    const isCut = audit.reader.shallow && then === undefined && isObjectId(target);
    problems.push(
      isCut
        ? problem('SHALLOW', `The target ${short(target)} was never fetched.`)
        : problem('TARGET_NOT_ON_LINE', `The target ${short(target)} is no commit of the branch before it.`),
    );
    return { place: null, problems };
  }
  if (engine > ENGINE) {
    problems.push(
      problem('ENGINE_NEWER', `It was made by the rules ${engine}: this version has those up to ${ENGINE}.`),
    );
    return { place: null, problems };
  }
  const { tree: baseTree } = await audit.reader.objects.commit(base);
  const found = await audit.configurations(baseTree, rulesOf(engine));
  if (found.layout === null) {
    const { why } = found;
    problems.push(
      why === null
        ? problem('CONFIG_MISSING', `The commit before it, ${short(base)}, has no configuration.`)
        : problem('CONFIG_UNREADABLE', `The configuration at ${short(base)} cannot be read: ${why}`),
    );
    return { place: null, problems };
  }
  return { place: { base, baseTree, layout: found.layout }, problems };
}

/** A number that is none is a problem of its own; the newest rules are as good as any then. */
const rulesOf = (engine: number): Rules => (engine === 1 || engine === 2 ? engine : ENGINE);

const short = (id: string) => (id === '' ? 'none' : id.slice(0, 10));
