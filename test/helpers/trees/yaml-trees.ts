import fc from 'fast-check';
import type { Selector } from '../../../engine/yaml/core/selector.ts';

/** A YAML value before it is written. Scalars carry their source; a source of several lines is a block scalar. */
export type Tree =
  | { readonly scalar: string }
  | { readonly map: readonly (readonly [string, Tree])[] }
  | { readonly list: readonly Tree[] };

const SCALARS = [
  'plain',
  'two words',
  '0644',
  '1e3',
  'on',
  '"on"',
  "'it''s'",
  '1:30',
  'null',
  '~',
  '',
  'true',
  '12345678901234567891',
  '"a # b"',
  "'- x'",
  '"\\u00e9"',
  '2001-12-14',
  '!!str 12',
  '"{{ template }}"',
  'a:b',
  '-1',
  '.inf',
  '|\none\n  two\n\nthree',
  '|-\nlast',
  '>-\nfolded\nlines',
  '|+\nkeep\n',
  '>\nfolded\n\nparagraph',
];
const KEYS = [
  'name',
  'image',
  'tag',
  'on',
  'replicas',
  'env',
  'ports',
  'a b',
  'x.y',
  'kubernetes.io/arch',
  '0',
  'true',
  'constructor',
  'é',
];

const scalar = fc.constantFrom(...SCALARS).map((source): Tree => ({ scalar: source }));
const key = fc.constantFrom(...KEYS);

export const anyTree = fc.letrec<{ tree: Tree; map: Tree; list: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { arbitrary: scalar, weight: 3 },
    tie('map'),
    tie('list'),
  ),
  map: fc
    .uniqueArray(fc.tuple(key, tie('tree')), { selector: ([name]) => name, maxLength: 4 })
    .map((map): Tree => ({ map })),
  list: fc.oneof(
    fc.array(tie('tree'), { maxLength: 4 }).map((list): Tree => ({ list })),
    fc
      .uniqueArray(fc.tuple(fc.constantFrom('alpha', 'beta', 'gamma', 'delta'), tie('map')), {
        selector: ([name]) => name,
        maxLength: 4,
      })
      .map((items): Tree => ({ list: items.map(([name, item]) => named(name, item)) })),
  ),
}));

function named(name: string, item: Tree): Tree {
  const rest = 'map' in item ? item.map.filter(([own]) => own !== 'name') : [];
  return { map: [['name', { scalar: name }], ...rest] };
}

/** A map at the root, as configuration files have. */
export const anyFile: fc.Arbitrary<Tree> = fc
  .uniqueArray(fc.tuple(key, anyTree.tree), { selector: ([name]) => name, minLength: 1, maxLength: 5 })
  .map((map) => ({ map }));

type Path = readonly (string | number)[];

/** Every place in a tree but the root. */
export function placesIn(tree: Tree, path: Path = []): Path[] {
  if ('scalar' in tree) return [];
  const entries: [string | number, Tree][] =
    'map' in tree
      ? tree.map.map(([name, value]) => [name, value])
      : tree.list.map((value, index) => [index, value]);
  return entries.flatMap(([step, value]) => [[...path, step], ...placesIn(value, [...path, step])]);
}

/** Items by their index; the last one by its name where a list's items have names. */
export function selectorOf(tree: Tree, path: Path): Selector {
  const steps = path.map((step) => (typeof step === 'number' ? { index: step } : { key: step }));
  const name = typeof path.at(-1) === 'number' ? nameOf(at(tree, path)) : null;
  return name === null ? steps : [...steps.slice(0, -1), { match: { name } }];
}

/** Can the place be taken away without another one taking its place? */
export function isRemovable(tree: Tree, path: Path): boolean {
  if (typeof path.at(-1) !== 'number') return true;
  const list = at(tree, path.slice(0, -1));
  const names = list && 'list' in list ? list.list.map(nameOf) : [];
  return names.every((name) => name !== null) && new Set(names).size === names.length;
}

function at(tree: Tree | undefined, path: Path): Tree | undefined {
  return path.reduce<Tree | undefined>((node, step) => {
    if (!node || 'scalar' in node) return undefined;
    return 'map' in node ? node.map.find(([name]) => name === step)?.[1] : node.list[Number(step)];
  }, tree);
}

function nameOf(item: Tree | undefined): string | null {
  const name = item && 'map' in item ? item.map.find(([own]) => own === 'name')?.[1] : undefined;
  return name && 'scalar' in name && /^[a-z]+$/.test(name.scalar) ? name.scalar : null;
}

/** The tree with another value at a place; without it where `value` is null. */
export function withChange(tree: Tree, [step, ...rest]: Path, value: Tree | null): Tree {
  if (step === undefined) return value ?? tree;
  const change = (own: Tree): Tree[] =>
    rest.length > 0 ? [withChange(own, rest, value)] : value ? [value] : [];
  if ('map' in tree)
    return {
      map: tree.map.flatMap(([name, own]) =>
        name === step ? change(own).map((next) => [name, next] as const) : [[name, own] as const],
      ),
    };
  if ('list' in tree)
    return { list: tree.list.flatMap((own, index) => (index === step ? change(own) : [own])) };
  return tree;
}

export interface Written {
  readonly text: string;
  /** The line on which each place begins and the line behind it, by its JSON path. */
  readonly lines: ReadonlyMap<string, readonly [number, number]>;
}

/** Writes a tree with indentation, comments, blank lines, brackets and line breaks that `seed` decides. */
export function writeTree(tree: Tree, seed: number): Written {
  const random = generator(seed);
  const pen: Pen = {
    random,
    lines: [],
    ranges: new Map(),
    step: 2 + random(3),
    comments: random(3) > 0,
    number: 0,
  };
  if (random(3) === 0) pen.lines.push('# about the file', '');
  writeValue(pen, tree, { indent: 0, path: [], prefix: '' });
  if (random(4) === 0) pen.lines.push('# the end');
  const eol = random(4) === 0 ? '\r\n' : '\n';
  const text =
    (random(6) === 0 ? '\uFEFF' : '') +
    pen.lines.join(eol) +
    (random(4) === 0 && !endsOpen(pen.lines) ? '' : eol);
  return { text, lines: pen.ranges };
}

const endsOpen = (lines: readonly string[]) => (lines.at(-1) ?? '').trim() === '';

interface Pen {
  readonly random: (below: number) => number;
  readonly lines: string[];
  readonly ranges: Map<string, readonly [number, number]>;
  readonly step: number;
  readonly comments: boolean;
  number: number;
}

interface At {
  readonly indent: number;
  readonly path: Path;
  /** What stands on the line already: `key:` or `-`. */
  readonly prefix: string;
}

/** A small repeatable generator (Lehmer, modulus 2^31-1, multiplier 48271). */
function generator(seed: number): (below: number) => number {
  let state = (Math.abs(seed) % 2_147_483_646) + 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return Math.floor(state / 7) % below;
  };
}

function writeValue(pen: Pen, tree: Tree, at: At): void {
  const blanks = ' '.repeat(at.prefix === '' ? 0 : 1 + (pen.random(5) === 0 ? 1 : 0));
  const remark =
    pen.comments && at.prefix !== '' && pen.random(4) === 0 ? `  # remark ${(pen.number += 1)}` : '';
  if ('scalar' in tree) {
    const [first = '', ...lines] = tree.scalar.split('\n');
    pen.lines.push(`${at.prefix}${first === '' ? '' : blanks}${first}${remark}`);
    const indent = ' '.repeat(at.indent + pen.step);
    pen.lines.push(...lines.map((line) => (line === '' ? '' : indent + line)));
    return;
  }
  const entries = 'map' in tree ? tree.map : tree.list;
  const flow = entries.length === 0 || (pen.random(5) === 0 && at.prefix !== '') ? flowOf(tree) : null;
  if (flow !== null) {
    pen.lines.push(`${at.prefix}${blanks}${flow}${remark}`);
    return;
  }
  if ('map' in tree && at.prefix.trim().endsWith('-') && pen.random(4) > 0)
    return writeEntries(pen, tree, at, at.prefix + ' '.repeat(blanks.length));
  if (at.prefix !== '') pen.lines.push(`${at.prefix}${remark}`);
  writeEntries(pen, tree, at, null);
}

/** `inline`: the text of the line on which the first entry goes. */
function writeEntries(
  pen: Pen,
  tree: Exclude<Tree, { scalar: string }>,
  at: At,
  inline: string | null,
): void {
  const isKeyed = at.prefix.endsWith(':');
  const shallow = 'list' in tree && isKeyed && pen.random(2) === 0;
  const indent = inline?.length ?? (at.prefix === '' || shallow ? at.indent : at.indent + pen.step);
  const lead = ' '.repeat(indent);
  const entries: (readonly [string | number, string, Tree])[] =
    'map' in tree
      ? tree.map.map(([name, value]) => [name, `${writeKey(pen, name)}:`, value])
      : tree.list.map((value, index) => [index, '-', value]);
  for (const [index, [step, mark, value]] of entries.entries()) {
    const isInline = index === 0 && inline !== null;
    if (!isInline && pen.comments && pen.random(5) === 0)
      pen.lines.push(`${lead}# note ${(pen.number += 1)}`);
    else if (index > 0 && pen.random(6) === 0 && !isKept(pen)) pen.lines.push('');
    const start = pen.lines.length;
    const path = [...at.path, step];
    writeValue(pen, value, { indent, path, prefix: (isInline ? inline : lead) + mark });
    pen.ranges.set(JSON.stringify(path), [start, pen.lines.length]);
  }
}

/** A blank line behind a `|+` would become part of it. */
const isKept = (pen: Pen): boolean =>
  (pen.lines.at(-1) ?? '').trim() === '' || pen.lines.slice(-3).some((line) => line.includes('|+'));

const writeKey = (pen: Pen, name: string): string =>
  /^[a-z]+$/.test(name) && name !== 'on' && name !== 'true' && pen.random(6) > 0
    ? name
    : JSON.stringify(name);

/** The tree in brackets; null where a scalar cannot stand there. */
function flowOf(tree: Tree): string | null {
  if ('scalar' in tree)
    return tree.scalar.includes('\n') || /[,[\]{}]/.test(tree.scalar) || tree.scalar === ''
      ? null
      : tree.scalar;
  const parts =
    'map' in tree
      ? tree.map.map(([name, value]) => [`${JSON.stringify(name)}: `, flowOf(value)])
      : tree.list.map((value) => ['', flowOf(value)]);
  if (parts.some(([, value]) => value === null)) return null;
  const inner = parts.map((part) => part.join('')).join(', ');
  return 'map' in tree ? `{${inner}}` : `[${inner}]`;
}
