/** Scopes with `*` in a name stand for those that there are on the tip. */
import { BacktrailError, type Engine, formatCoordinates } from '../../../engine/index.ts';
import type { RollbackInput } from './file.ts';

/** What one file may come to. */
const MOST = 5000;

/**
 * Puts in the place of each scope with `*` those that it matches, in the order of their names: `*` is any part of one name, never a `/`. A
 * scope that the file also names by itself is left to that entry.
 *
 * @throws INVALID_REQUEST where one matches nothing, or all together are too many
 */
export async function expandScopes(
  engine: Pick<Engine, 'environments'>,
  wishes: readonly RollbackInput[],
): Promise<readonly RollbackInput[]> {
  if (!wishes.some(({ scope }) => scope.includes('*'))) return wishes;
  const environments = await engine.environments();
  const known = environments.flatMap(({ services, ...names }) => {
    const environment = formatCoordinates(names);
    return [environment, ...services.map((service) => `${environment}/${service}`)];
  });
  const taken = new Set(wishes.map(({ scope }) => scope));
  const expanded = wishes.flatMap((wish) => {
    if (!wish.scope.includes('*')) return [wish];
    const pattern = matcher(wish.scope);
    const found = known.filter((scope) => pattern.test(scope)).toSorted();
    if (found.length === 0) throw noMatch(wish.scope);
    return found
      .filter((scope) => !taken.has(scope) && taken.add(scope))
      .map((scope) => ({ ...wish, scope }));
  });
  if (expanded.length <= MOST) return expanded;
  throw new BacktrailError(
    'INVALID_REQUEST',
    `The file comes to ${expanded.length} rollbacks; ${MOST} are the most.`,
    { hint: 'Make two incidents of it, or roll whole environments back.' },
  );
}

const matcher = (scope: string) =>
  new RegExp(
    `^${scope
      .split(/\*+/)
      .map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'))
      .join('[^/]*')}$`,
    'u',
  );

function noMatch(scope: string): BacktrailError {
  return new BacktrailError('INVALID_REQUEST', `No scope on the branch matches ${JSON.stringify(scope)}.`, {
    hint: '`backtrail environments` lists them; `*` stands for a part of one name.',
  });
}
