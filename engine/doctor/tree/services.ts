/** Services and environments that are seen twice, and files that several of them claim. */
import { type Check, quotePath } from '../../model/index.ts';
import { repeatedNames } from '../../yaml/core/locate.ts';
import { formatSelector, parseSelector, type Selector, type Step } from '../../yaml/core/selector.ts';
import { type PatternMatch, readParsed } from '../../layout/discover.ts';
import { namesWithSlash } from '../../layout/expand-selector.ts';
import { type Bindings, bindPath, bindSelector, hasPlaceholder, type Pattern } from '../../layout/pattern.ts';
import { type CheckedTree, configuration, count, groupBy, nameOf, some } from './tree.ts';

export async function checkServices(tree: CheckedTree): Promise<Check[]> {
  const problems = [
    ...seenTwice(tree),
    ...(await repeatedItems(tree)),
    ...(await slashedNames(tree)),
    ...claimedTwice(tree),
  ];
  const services = tree.coordinates.filter(({ service }) => service !== undefined).length;
  const message = `Each of the ${count(services, 'service')} is in one place, and no file belongs to two.`;
  return problems.length > 0 ? problems : [configuration('services', 'ok', { message })];
}

/** One pattern that finds the same coordinates in several places: a rollback would take all of them back. */
function seenTwice({ places }: CheckedTree): Check[] {
  const roots = new Map<string, { place: PatternMatch; roots: Set<string> }>();
  for (const place of places) {
    const key = `${place.pattern.text}\0${nameOf(place.bindings)}`;
    const known = roots.get(key) ?? { place, roots: new Set() };
    roots.set(key, known);
    known.roots.add(place.root);
  }
  const twice = [...roots.values()].filter(({ roots }) => roots.size > 1);
  const byPattern = groupBy(twice, ({ place }) => place.pattern.text);
  return [...byPattern].map(([pattern, found]) => {
    const [first] = found;
    const names = found.map(({ place }) => nameOf(place.bindings));
    return configuration('services', 'warn', {
      message: `${JSON.stringify(pattern)} finds ${some(names)} in several places, such as ${some([...(first?.roots ?? [])])}.`,
      hint: 'A rollback takes all of them back together: put a placeholder where they differ, or write a narrower pattern.',
      details: {
        pattern,
        places: found
          .slice(0, 50)
          .map(({ place, roots }) => ({ scope: nameOf(place.bindings), in: [...roots] })),
      },
    });
  });
}

/** Items of a list, or documents of a file, that have the same name: no one could say which one is meant. */
async function repeatedItems({ view, places }: CheckedTree): Promise<Check[]> {
  const lists = new Map<string, { place: string; path: string; parent: Selector; key: string }>();
  for (const { pattern, root } of places) {
    const at = pattern.selector?.findLastIndex(isOpenMatch) ?? -1;
    const step = pattern.selector?.[at];
    if (!step || !('match' in step)) continue;
    const [key = ''] = Object.entries(step.match).find(([, value]) => hasPlaceholder(value)) ?? [];
    const [path = '', selector = ''] = root.split(/#(.*)/su);
    const parent = parseSelector(selector).slice(0, at);
    const place = `${path}#${formatSelector(parent)}`;
    lists.set(`${place}\0${key}`, { place, path, parent, key });
  }
  const checks: Check[] = [];
  for (const { place, path, parent, key } of lists.values()) {
    const text = await readParsed(view, path);
    const names = text ? repeatedNames(text, parent, key) : [];
    if (names.length === 0) continue;
    checks.push(
      configuration('services', 'warn', {
        message: `${place} holds several items with ${key} ${some(names)}.`,
        hint: 'A rollback of one of them is refused: give each item a name of its own.',
        details: { place, key, names },
      }),
    );
  }
  return checks;
}

/** Files that are looked into for one pattern. */
const LOOKED_INTO = 200;

/** Items that no scope can name, such as an image with its registry. */
async function slashedNames({ view, layout, files }: CheckedTree): Promise<Check[]> {
  const checks: Check[] = [];
  for (const { text, selector, ...pattern } of layout.service) {
    if (selector === null) continue;
    const paths = bindPath({ text, selector, ...pattern }, {});
    const names = new Set<string>();
    for (const { path } of files.filter(({ path }) => paths.match(path) !== null).slice(0, LOOKED_INTO)) {
      const bindings = paths.match(path) ?? {};
      const parsed = layout.isExcluded(path) ? null : await readParsed(view, path);
      const bound = { selector: bindSelector(selector, bindings), bindings };
      if (parsed) for (const name of namesWithSlash(parsed, bound)) names.add(name);
    }
    const [first] = names;
    if (first === undefined) continue;
    const prefix = first.slice(0, first.lastIndexOf('/') + 1);
    checks.push(
      configuration('services', 'warn', {
        message: `${JSON.stringify(text)} finds names with "/", which cannot be services: ${some([...names].map(quotePath))}.`,
        hint: `Write what stands before the name into the pattern, as in [name=${prefix}{service}].`,
        details: { pattern: text, names: [...names].slice(0, 50) },
      }),
    );
  }
  return checks;
}

const isOpenMatch = (step: Step) => 'match' in step && Object.values(step.match).some(hasPlaceholder);

interface Overlap {
  readonly names: readonly string[];
  readonly patterns: readonly string[];
  readonly files: string[];
}

/** Files that whole-path patterns give to several services, or to several environments. */
function claimedTwice({ layout, files }: CheckedTree): Check[] {
  const patterns = [...layout.environment, ...layout.service].filter(({ selector }) => selector === null);
  const selections = patterns.map((pattern) => ({ pattern, paths: bindPath(pattern, {}) }));
  const overlaps = new Map<string, Overlap>();
  for (const { path } of files) {
    if (layout.isExcluded(path)) continue;
    const claims = selections.flatMap(({ pattern, paths }) => {
      const bindings = paths.match(path);
      return bindings && !layout.isIgnored(bindings) ? [{ pattern, bindings }] : [];
    });
    const twice =
      differing(claims, ({ service }) => service !== undefined, nameOf) ??
      differing(claims, () => true, environmentOf);
    if (!twice) continue;
    const key = JSON.stringify(twice);
    const known = overlaps.get(key) ?? { ...twice, files: [] };
    overlaps.set(key, known);
    known.files.push(path);
  }
  const byPatterns = groupBy([...overlaps.values()], ({ patterns }) => patterns.join('\0'));
  return [...byPatterns.values()].map((found) => {
    const [first] = found;
    const paths = found.flatMap(({ files }) => files);
    return configuration('services', 'warn', {
      message: `${count(paths.length, 'file')}, such as ${first?.files[0] ?? ''}, ${paths.length === 1 ? 'belongs' : 'belong'} to several at once: ${some(first?.names ?? [])}.`,
      hint: `A rollback of one changes the other: make ${(first?.patterns ?? []).map((text) => JSON.stringify(text)).join(' and ')} exclude each other.`,
      details: {
        patterns: first?.patterns,
        overlaps: found.slice(0, 50).map(({ names, files }) => ({ names, files: files.slice(0, 5) })),
      },
    });
  });
}

const environmentOf = ({ tenant, environment = '' }: Bindings) =>
  nameOf({ ...(tenant !== undefined && { tenant }), environment });

function differing(
  claims: readonly { pattern: Pattern; bindings: Bindings }[],
  counts: (bindings: Bindings) => boolean,
  name: (bindings: Bindings) => string,
): Omit<Overlap, 'files'> | null {
  const counted = claims.filter(({ bindings }) => counts(bindings));
  const names = [...new Set(counted.map(({ bindings }) => name(bindings)))];
  if (names.length < 2) return null;
  return { names, patterns: [...new Set(counted.map(({ pattern }) => pattern.text))] };
}
