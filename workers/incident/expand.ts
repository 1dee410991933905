/** Scopes with `*` in a name stand for those that there are on the tip. */
import { BacktrailError, type Engine, formatCoordinates, type Person } from '../../engine/index.ts';
import { MOST, type RollbackInput } from './ask.ts';

/**
 * Puts in the place of each scope with `*` those that it matches, in the order of their names: `*` is any part of one name, never a `/`. A
 * scope that the file also names by itself is left to that entry; what two patterns want alike is done once.
 *
 * @throws INVALID_REQUEST where one matches nothing, two want different targets of a scope, or all together are too many
 */
export async function expandScopes(
  engine: Pick<Engine, 'environments'>,
  wishes: readonly RollbackInput[],
  reading: { readonly reader?: Person } = {},
): Promise<readonly RollbackInput[]> {
  if (!wishes.some(({ scope }) => scope.includes('*'))) return wishes;
  const environments = await engine.environments(reading);
  const known = environments.flatMap(({ services, ...names }) => {
    const environment = formatCoordinates(names);
    return [environment, ...services.map((service) => `${environment}/${service}`)];
  });
  const named = new Set(wishes.map(({ scope }) => scope));
  const taken = new Map<string, RollbackInput>();
  const isNew = (wish: RollbackInput) => {
    const { scope, fields, wholeFile, to, allowRemoval } = wish;
    const key = JSON.stringify([scope, fields.toSorted(), wholeFile]);
    const other = taken.get(key);
    if (other === undefined) taken.set(key, wish);
    else if (other.to !== to || other.allowRemoval !== allowRemoval) throw twoWishes(scope);
    return other === undefined;
  };
  const expanded = wishes.flatMap((wish) => {
    if (!wish.scope.includes('*')) return [wish];
    const found = known.filter(matcher(wish.scope)).toSorted();
    if (found.length === 0) throw noMatch(wish.scope);
    return found
      .filter((scope) => !named.has(scope))
      .map((scope) => ({ ...wish, scope }))
      .filter(isNew);
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

function twoWishes(scope: string): BacktrailError {
  return new BacktrailError(
    'INVALID_REQUEST',
    `Two patterns of the file match ${JSON.stringify(scope)}, and do not want the same of it.`,
    { hint: 'Name this scope in an entry of its own: that one counts.' },
  );
}

function noMatch(scope: string): BacktrailError {
  return new BacktrailError('INVALID_REQUEST', `No scope on the branch matches ${JSON.stringify(scope)}.`, {
    hint: '`backtrail environments` lists them; `*` stands for a part of one name.',
  });
}
