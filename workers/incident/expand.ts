/** Scopes with `*` in a name stand for those that there are on the tip. */
import { BacktrailError, type Engine, formatCoordinates, type Person } from '../../engine/index.ts';
import { MOST, type RollbackInput } from './ask.ts';

/** Each is held against all scopes that there are. */
const MOST_PATTERNS = 500;

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
  const patterns = wishes.filter(({ scope }) => scope.includes('*'));
  if (patterns.length === 0) return wishes;
  if (patterns.length > MOST_PATTERNS)
    throw tooMany(`has ${patterns.length} patterns; ${MOST_PATTERNS} are the most`);
  const environments = await engine.environments(reading);
  const scopes = environments.flatMap(({ services, ...names }) => {
    const environment = formatCoordinates(names);
    return [environment, ...services.map((service) => `${environment}/${service}`)];
  });
  const known = scopes.toSorted().map((scope) => ({ scope, names: scope.split('/') }));
  const named = new Set(wishes.map(({ scope }) => scope));
  const isNew = createTaken();
  const expanded: RollbackInput[] = [];
  for (const wish of wishes) {
    const found = wish.scope.includes('*') ? known.filter(matcher(wish.scope)) : null;
    if (found === null) expanded.push(wish);
    else if (found.length === 0) throw noMatch(wish.scope);
    else {
      const free = found.map(({ scope }) => scope).filter((scope) => !named.has(scope));
      for (const scope of isNew(wish, free)) expanded.push({ ...wish, scope });
    }
    // Before the next one: each pattern may stand for all that there are.
    if (expanded.length > MOST) throw tooMany(`comes to more than ${MOST} rollbacks`);
  }
  return expanded;
}

/** Gives those scopes for which no pattern before wanted the same. @throws INVALID_REQUEST where one wants another target */
function createTaken(): (wish: RollbackInput, scopes: readonly string[]) => readonly string[] {
  const taken = new Map<string, Map<string, RollbackInput>>();
  return (wish, scopes) => {
    const { fields, wholeFile, to, allowRemoval } = wish;
    const key = JSON.stringify([fields.toSorted(), wholeFile]);
    const before = taken.get(key) ?? new Map<string, RollbackInput>();
    taken.set(key, before);
    return scopes.filter((scope) => {
      const other = before.get(scope);
      if (other === undefined) before.set(scope, wish);
      else if (other.to !== to || other.allowRemoval !== allowRemoval) throw twoWishes(scope);
      return other === undefined;
    });
  };
}

const tooMany = (what: string): BacktrailError =>
  new BacktrailError('INVALID_REQUEST', `The file ${what}.`, { hint: 'Make two incidents of it.' });

/** Name by name. The first place where each part between stars fits is as good as any other: nothing is tried twice. */
function matcher(scope: string): (known: { readonly names: readonly string[] }) => boolean {
  const patterns = scope.split('/').map((name) => name.split(/\*+/));
  return ({ names }) =>
    names.length === patterns.length && patterns.every((parts, index) => fits(parts, names[index] ?? ''));
}

function fits(parts: readonly string[], name: string): boolean {
  const [first = ''] = parts;
  if (parts.length === 1) return name === first;
  const last = parts.at(-1) ?? '';
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (let index = 1; index < parts.length - 1; index += 1) {
    const part = parts[index] ?? '';
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
