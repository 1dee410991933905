/** "Did you mean …?": similar names. */

/** Similar names, the most similar first: other case, singular and plural, .yml and .yaml, or a typo. */
export function nearNames(name: string, known: Iterable<string>): string[] {
  const found: { name: string; distance: number }[] = [];
  for (const other of known) {
    const distance = other === name ? 0 : distanceOf(name, other);
    if (distance > 0 && distance <= (name.length > 5 ? 2 : 1)) found.push({ name: other, distance });
  }
  return found
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 5)
    .map((near) => near.name);
}

function distanceOf(one: string, other: string): number {
  const plain = (text: string) =>
    text
      .toLowerCase()
      .replace(/\.yml$/, '.yaml')
      .replace(/(?<=..)e?s$/, '');
  if (plain(one) === plain(other)) return 0.5;
  return Math.abs(one.length - other.length) > 2 ? 3 : edits(one.toLowerCase(), other.toLowerCase());
}

/** Optimal string alignment distance: insertions, deletions, substitutions, and transpositions of neighbours. */
function edits(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      const swapped = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const choices = [(row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same];
      next.push(Math.min(...choices, swapped && before.length > 0 ? (before[j - 2] ?? 0) + 1 : Infinity));
    }
    before = row;
    row = next;
  }
  return row[other.length] ?? 0;
}

/** Paths of a tree, and all their components, for suggestions. */
export interface TreeNames {
  readonly paths: readonly string[];
  readonly all: ReadonlySet<string>;
}

export function namesOf(paths: readonly string[]): TreeNames {
  return { paths, all: new Set(paths.flatMap((path) => path.split('/'))) };
}

/**
 * A similar pattern that matches a path: with one literal component replaced by a similar one, or with leading folders added; null
 * if there is none.
 */
export function nearPattern(
  text: string,
  { paths, all }: TreeNames,
  compile: (pattern: string) => (path: string) => boolean,
): string | null {
  const parts = text.split('/');
  for (const [at, part] of parts.entries()) {
    if (/[*?{}[\]]/.test(part) || all.has(part)) continue;
    for (const near of nearNames(part, all)) {
      const candidate = parts.with(at, near).join('/');
      if (!/[*?{}[\]#]/.test(near) && paths.some(compile(candidate))) return candidate;
    }
  }
  const matches = compile(text);
  for (const path of paths) {
    const below = path.split('/');
    for (const depth of [1, 2, 3])
      if (below.length > depth && matches(below.slice(depth).join('/')))
        return `${below.slice(0, depth).join('/')}/${text}`;
  }
  const last = parts.at(-1) ?? '';
  const other = last.endsWith('.yaml') ? '.yml' : last.endsWith('.yml') ? '.yaml' : null;
  const renamed =
    other && [...parts.slice(0, -1), `${last.slice(0, last.lastIndexOf('.'))}${other}`].join('/');
  return renamed && paths.some(compile(renamed)) ? renamed : null;
}
