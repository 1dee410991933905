import { isDeepStrictEqual } from 'node:util';
import { parseAllDocuments } from 'yaml';
import type { Selector, Step } from '../../../engine/yaml/core/selector.ts';

/** A place in a parsed file at which two revisions differ, found without any of the code under test. */
export interface Leaf {
  readonly selector: Selector;
  readonly op: 'add' | 'remove' | 'replace';
  /** Indices and keys in each, the document first; -1 for the item that a list lacks. */
  readonly base: readonly (string | number)[];
  readonly target: readonly (string | number)[];
}

/** The values of all documents; null where the text is not plain YAML (errors, duplicate keys, dangling aliases). */
export function valuesOf(text: string, version: '1.1' | '1.2' = '1.2'): unknown[] | null {
  try {
    const documents = [...parseAllDocuments(text, { version, logLevel: 'silent' })];
    if (documents.some(({ errors }) => errors.length > 0)) return null;
    return documents.map((document): unknown => document.toJS()).filter((value) => value !== null);
  } catch {
    return null;
  }
}

/** The smallest differences of two files: scalars, and whole entries that only one of them has. */
export function differingLeaves(base: readonly unknown[], target: readonly unknown[]): Leaf[] {
  if (base.length !== target.length || base.length === 0) return [];
  return base.flatMap((document, index) => {
    const steps: Step[] = base.length > 1 ? [{ index }] : [];
    return leaves({ selector: steps, base: [index], target: [index] }, document, target[index]);
  });
}

interface Pair {
  readonly selector: Selector;
  readonly base: readonly (string | number)[];
  readonly target: readonly (string | number)[];
}

function leaves(at: Pair, base: unknown, target: unknown): Leaf[] {
  if (isDeepStrictEqual(base, target)) return [];
  if (isMap(base) && isMap(target)) return mapLeaves(at, base, target);
  if (Array.isArray(base) && Array.isArray(target)) {
    const name = ['name', 'path', 'id'].find((key) => areNamed(base, key) && areNamed(target, key));
    if (name !== undefined) return itemLeaves(at, base, target, name);
    if (base.length === target.length) {
      return base.flatMap((item, index) =>
        leaves(below(at, { index }, index, index), item, (target as unknown[])[index]),
      );
    }
  }
  return [{ ...at, op: 'replace' }];
}

type Tree = Record<string, unknown>;

const isMap = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const below = (at: Pair, step: Step, base: string | number, target: string | number): Pair => ({
  selector: [...at.selector, step],
  base: [...at.base, base],
  target: [...at.target, target],
});

function mapLeaves(at: Pair, base: Tree, target: Tree): Leaf[] {
  return [...new Set([...Object.keys(base), ...Object.keys(target)])].flatMap((key): Leaf[] => {
    const next = below(at, { key }, key, key);
    if (!Object.hasOwn(target, key)) return [{ ...next, op: 'remove' }];
    if (!Object.hasOwn(base, key)) return [{ ...next, op: 'add' }];
    return leaves(next, base[key], target[key]);
  });
}

function areNamed(list: readonly unknown[], key: string): boolean {
  const names = list.map((item) => (isMap(item) ? item[key] : undefined));
  return names.every((name) => typeof name === 'string') && new Set(names).size === list.length;
}

function itemLeaves(at: Pair, base: readonly unknown[], target: readonly unknown[], key: string): Leaf[] {
  const nameOf = (item: unknown) => String(isMap(item) ? item[key] : '');
  const names = new Set([...base, ...target].map(nameOf));
  return [...names].flatMap((name): Leaf[] => {
    const own = base.findIndex((item) => nameOf(item) === name);
    const other = target.findIndex((item) => nameOf(item) === name);
    const next = below(at, { match: { [key]: name } }, own, other);
    if (other < 0) return [{ ...next, op: 'remove' }];
    if (own < 0) return [{ ...next, op: 'add' }];
    return leaves(next, base[own], target[other]);
  });
}

/** Is `result` the base with this one leaf as the target has it? An added list item may stand anywhere among the others. */
export function isExpected(leaf: Leaf, base: unknown, target: unknown, result: unknown): boolean {
  const wanted = leaf.op === 'remove' ? undefined : get(target, leaf.target);
  if (leaf.op === 'add' && leaf.base.at(-1) === -1) return isWithItem(base, result, wanted);
  const copy = structuredClone(base);
  const parent = get(copy, leaf.base.slice(0, -1));
  const key = leaf.base.at(-1) ?? '';
  if (Array.isArray(parent)) parent.splice(Number(key), 1, ...(leaf.op === 'remove' ? [] : [wanted]));
  else if (isMap(parent) && leaf.op === 'remove') delete parent[key];
  else if (isMap(parent)) parent[key] = wanted;
  return isDeepStrictEqual(copy, result);
}

/** Does `result` differ from `base` by one item of one list only? */
function isWithItem(base: unknown, result: unknown, item: unknown): boolean {
  if (Array.isArray(base) && Array.isArray(result) && result.length === base.length + 1) {
    return result.some(
      (own, index) => isDeepStrictEqual(own, item) && isDeepStrictEqual(result.toSpliced(index, 1), base),
    );
  }
  if (Array.isArray(base) && Array.isArray(result) && result.length === base.length) {
    const changed = base.findIndex((own, index) => !isDeepStrictEqual(own, result[index]));
    const rest = isDeepStrictEqual(base.toSpliced(changed, 1), result.toSpliced(changed, 1));
    return changed >= 0 && rest && isWithItem(base[changed], result[changed], item);
  }
  if (!isMap(base) || !isMap(result)) return false;
  const changed = Object.keys(base).filter((key) => !isDeepStrictEqual(base[key], result[key]));
  const [key] = changed;
  return (
    changed.length === 1 &&
    key !== undefined &&
    Object.keys(base).length === Object.keys(result).length &&
    isWithItem(base[key], result[key], item)
  );
}

const get = (value: unknown, path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((node, key) => {
    if (Array.isArray(node)) return node[Number(key)];
    return isMap(node) ? node[key] : undefined;
  }, value);
