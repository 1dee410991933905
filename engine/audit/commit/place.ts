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

/** Where a rollback is by its trailers. */
export async function placeOf(
  audit: Audit,
  commit: CommitText,
  { base: named, target, engine }: Pick<RollbackRecord, 'base' | 'target' | 'engine'>,
): Promise<Placed> {
  const { id, parents } = commit;
  const [base] = parents;
  const problems: Problem[] = [];
  // Nothing is before it, so nothing else can be said of where it is.
  if (base === undefined) return placeBefore(audit, commit);
  if (parents.length > 1)
    problems.push(problem('PARENTS', `It has ${parents.length} parents: Backtrail writes no merges.`));
  if (named !== base)
    problems.push(
      problem('BASE_DIFFERS', `It follows ${short(base)}, and says that it was made on ${short(named)}.`),
    );
  const misplaced = targetProblem(audit, id, target);
  if (misplaced !== null) return { place: null, problems: [...problems, misplaced] };
  if (engine > ENGINE) {
    const message = `It was made by the rules ${engine}: this version has those up to ${ENGINE}.`;
    return { place: null, problems: [...problems, problem('ENGINE_NEWER', message)] };
  }
  const placed = await placeBefore(audit, commit, rulesOf(engine));
  return { ...placed, problems: [...problems, ...placed.problems] };
}

/** What it follows, and the configuration there. */
export async function placeBefore(
  { line, reader, configurations }: Audit,
  { parents: [base] }: CommitText,
  rules: Rules = ENGINE,
): Promise<Placed> {
  const nowhere = (wrong: Problem) => ({ place: null, problems: [wrong] });
  if (base === undefined)
    return nowhere(problem('PARENTS', 'It has no parent, and so nothing to roll back.'));
  if (!line.places.has(base))
    return nowhere(problem('SHALLOW', `The commit before it, ${short(base)}, was never fetched.`));
  const { tree: baseTree } = await reader.objects.commit(base);
  const found = await configurations(baseTree, rules);
  if (found.layout !== null) return { place: { base, baseTree, layout: found.layout }, problems: [] };
  const { why } = found;
  return nowhere(
    why === null
      ? problem('CONFIG_MISSING', `The commit before it, ${short(base)}, has no configuration.`)
      : problem('CONFIG_UNREADABLE', `The configuration at ${short(base)} cannot be read: ${why}`),
  );
}

/** It has to be on the line, before the commit. */
function targetProblem({ line, reader }: Audit, id: ObjectId, target: ObjectId): Problem | null {
  const [at, then] = [line.places.get(id) ?? 0, line.places.get(target)];
  if (then !== undefined && then > at) return null;
  if (reader.shallow && then === undefined && isObjectId(target))
    return problem('SHALLOW', `The target ${short(target)} was never fetched.`);
  return problem('TARGET_NOT_ON_LINE', `The target ${short(target)} is no commit of the branch before it.`);
}

/** A number that is none is a problem of its own; the newest rules are as good as any then. */
const rulesOf = (engine: number): Rules => (engine === 1 || engine === 2 || engine === 3 ? engine : ENGINE);

const short = (id: string) => (id === '' ? 'none' : id.slice(0, 10));
