/** `--like PATH=acme/production/api`: the patterns that one example gives. */
import { BacktrailError, quotePath, type TreeView } from '../../model/index.ts';
import { isCoordinate } from '../../layout/pattern.ts';

export interface Like {
  readonly path: string;
  /** `[tenant/]environment[/service]`: three names are a tenant's, two an environment's and a service's. */
  readonly scope: string;
}

export interface LikePatterns {
  /** null where a service stands above the environment. */
  readonly environment: string | null;
  readonly service: string | null;
}

const PLACES = ['tenant', 'environment', 'service'] as const;
type Name = (typeof PLACES)[number];

/** INVALID_REQUEST where the path is not in the tree, or does not say what it is said to. */
export async function likePatterns(view: TreeView, { path, scope }: Like): Promise<LikePatterns> {
  const names = namesOf(scope);
  const parts = path.split('/');
  if ((await view.entry(path).catch(() => null)) === null)
    throw invalid(`There is no file ${quotePath(path)} on the branch.`);
  const places = placesIn(parts, names);
  const missing = names.find(([name]) => !places.has(name));
  if (missing)
    throw invalid(
      `The path ${quotePath(path)} does not hold ${JSON.stringify(missing[1])}, its ${missing[0]}.`,
    );
  const pattern = (holds: readonly Name[]) => {
    const depth = Math.max(...holds.map((name) => places.get(name) ?? 0));
    const own = parts
      .slice(0, depth + 1)
      .map((part, index) =>
        names.reduce(
          (text, [name, value]) =>
            places.get(name) === index ? replaceWord(text, value, `{${name}}`) : text,
          part,
        ),
      );
    return depth === parts.length - 1 ? own.join('/') : [...own, '**'].join('/');
  };
  const at = (name: Name) => places.get(name) ?? -1;
  const outer = names.map(([name]) => name).filter((name) => name !== 'service');
  const hasService = places.has('service');
  return {
    environment: hasService && at('service') <= Math.max(...outer.map(at)) ? null : pattern(outer),
    service: hasService ? pattern(PLACES.filter((name) => places.has(name))) : null,
  };
}

function namesOf(scope: string): (readonly [Name, string])[] {
  const parts = scope.split('/');
  const bad = parts.find((part) => !isCoordinate(part));
  if (bad !== undefined || parts.length > 3)
    throw invalid(`${JSON.stringify(scope)} is not a scope: write PATH=[tenant/]environment[/service].`);
  const order: readonly Name[] = parts.length === 3 ? PLACES : ['environment', 'service'];
  return parts.flatMap((value, index) => {
    const name = order[index];
    return name ? [[name, value] as const] : [];
  });
}

/** Where each name stands: in a part of its own, else as a word of one; each in the last that the others leave. */
function placesIn(parts: readonly string[], names: readonly (readonly [Name, string])[]): Map<Name, number> {
  const places = new Map<Name, number>();
  const taken = new Set<number>();
  for (const [name, value] of names) {
    const whole = parts.findLastIndex((part, index) => part === value && !taken.has(index));
    if (whole < 0) continue;
    places.set(name, whole);
    taken.add(whole);
  }
  for (const [name, value] of names) {
    if (places.has(name)) continue;
    const word = parts.findLastIndex(
      (part, index) => !taken.has(index) && replaceWord(part, value, '') !== part,
    );
    if (word >= 0) places.set(name, word);
  }
  return places;
}

/** The first place where it is a word of the name: `values-prod.yaml`, not `production`. */
function replaceWord(text: string, word: string, by: string): string {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const [before, after] = [text[at - 1] ?? '.', text[at + word.length] ?? '.'];
    if (!/[\p{L}\p{N}]/u.test(before) && !/[\p{L}\p{N}]/u.test(after))
      return text.slice(0, at) + by + text.slice(at + word.length);
  }
  return text;
}

const invalid = (message: string) =>
  new BacktrailError('INVALID_REQUEST', message, {
    hint: 'For example --like apps/api/values-prod.yaml=prod/api, or tenants/acme/prod/api/x.yaml=acme/prod/api.',
  });
