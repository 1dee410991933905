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
    const found = known.filter(matcher(wish.scope)).toSorted();
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

/** Name by name. The first place where each part between stars fits is as good as any other: nothing is tried twice. */
function matcher(scope: string): (name: string) => boolean {
  const patterns = scope.split('/').map((name) => name.split(/\*+/));
  return (name) => {
    const names = name.split('/');
    return (
      names.length === patterns.length && patterns.every((parts, index) => fits(parts, names[index] ?? ''))
    );
  };
}

function fits(parts: readonly string[], name: string): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

function noMatch(scope: string): BacktrailError {
  return new BacktrailError('INVALID_REQUEST', `No scope on the branch matches ${JSON.stringify(scope)}.`, {
    hint: '`backtrail environments` lists them; `*` stands for a part of one name.',
  });
}
