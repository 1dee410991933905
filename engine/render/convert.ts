import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Scalar,
  type YAMLMap,
} from 'yaml';
import { printString } from './print.ts';
import type { SourceFile } from './source-file.ts';
import { hasReference, substitute, type Variables, wholeReference } from './plain/substitute.ts';
import { Plain, textOf, type Value } from './value.ts';

/** Remaining size of a rendering, shared by all files of a service: aliases and variables can expand a short file without limit. */
export interface Budget {
  nodes: number;
  characters: number;
}

export const newBudget = (): Budget => ({ nodes: 100_000, characters: 8 * 1024 * 1024 });

export interface Conversion {
  readonly file: SourceFile;
  readonly document: Document;
  readonly budget: Budget;
  /** null: `${NAME}` is not replaced. */
  readonly variables: Variables | null;
}

const MAX_DEPTH = 100;
const MAX_KEY = 1000;

/**
 * Converts a parsed document to a value: resolves aliases and merge keys, inserts variables.
 * @throws RENDER_FAILED with the position
 */
export function convert(conversion: Conversion): Value {
  return convertNode(conversion, conversion.document.contents, 0);
}

function convertNode(conversion: Conversion, node: unknown, depth: number): Value {
  const { file, document, budget } = conversion;
  const at = offsetOf(node);
  budget.nodes -= 1;
  if (budget.nodes < 0) throw file.fail(at, 'the document is too large once its aliases are resolved.');
  if (depth > MAX_DEPTH) throw file.fail(at, `the document is nested deeper than ${MAX_DEPTH} levels.`);
  if (isAlias(node)) {
    const target = node.resolve(document);
    if (!target) throw file.fail(at, 'the alias has no anchor.');
    return convertNode(conversion, target, depth + 1);
  }
  refuseTag(file, node);
  if (isMap(node)) return convertMap(conversion, node, depth);
  if (isSeq(node)) return node.items.map((item) => convertNode(conversion, item, depth + 1));
  if (isScalar(node)) return convertScalar(conversion, node);
  return new Plain('', null);
}

const CORE_TAG = /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/;

function refuseTag(file: SourceFile, node: unknown): void {
  const tag = isMap(node) || isSeq(node) || isScalar(node) ? node.tag : undefined;
  if (tag !== undefined && !CORE_TAG.test(tag))
    throw file.fail(offsetOf(node), 'YAML tags are not rendered.');
}

function convertMap(conversion: Conversion, node: YAMLMap, depth: number): Value {
  const result = new Map<string, Value>();
  const merges: Pair[] = [];
  for (const pair of node.items) {
    if (isScalar(pair.key) && pair.key.value === '<<' && pair.key.type === Scalar.PLAIN) {
      merges.push(pair);
      continue;
    }
    const key = convertKey(conversion, pair.key);
    if (result.has(key))
      throw conversion.file.fail(offsetOf(pair.key), `the key ${printString(key)} is a duplicate.`);
    result.set(key, convertNode(conversion, pair.value, depth + 1));
  }
  for (const { key, value } of merges)
    merge(conversion, result, { key, merged: convertNode(conversion, value, depth + 1) });
  return result;
}

function convertKey(conversion: Conversion, node: unknown): string {
  const { file } = conversion;
  if (!isScalar(node)) throw file.fail(offsetOf(node), 'a key must be a scalar.', { hint: TEMPLATE_HINT });
  const key = textOf(convertScalar(conversion, node));
  if (key === undefined) throw file.fail(offsetOf(node), 'a key is missing.', { hint: TEMPLATE_HINT });
  if (printString(key).length > MAX_KEY)
    throw file.fail(offsetOf(node), `a key is longer than ${MAX_KEY} characters.`);
  return key;
}

const TEMPLATE_HINT = 'Templates ({{ … }}) are not rendered: use ${NAME} variables.';

/** `<<` of YAML 1.1 (yaml.org/type/merge.html): the map's own keys win, then those of earlier merged maps. */
function merge(
  { file }: Conversion,
  into: Map<string, Value>,
  { key, merged }: { key: unknown; merged: Value },
): void {
  const maps: readonly Value[] = Array.isArray(merged) ? merged : [merged];
  for (const map of maps) {
    if (!(map instanceof Map))
      throw file.fail(offsetOf(key), 'a merge key (<<) needs a map or a list of maps.');
    for (const [name, value] of map) if (!into.has(name)) into.set(name, value);
  }
}

function convertScalar(conversion: Conversion, node: Scalar): Value {
  const value = scalarValue(node);
  const text = textOf(value) ?? '';
  if (conversion.variables === null || !hasReference(text)) return spendCharacters(conversion, node, value);
  // A quoted scalar is a string; for a plain one the variable's type decides. JSON has quoted strings only.
  const untyped = node.type === Scalar.PLAIN || conversion.file.path.endsWith('.json');
  const name = untyped ? wholeReference(text) : null;
  if (name !== null) return spendCharacters(conversion, node, requireVariable(conversion, node, name));
  return spendCharacters(conversion, node, insert(conversion, node, text));
}

/** Checks the budget before building the text: a long variable, inserted often, could exhaust the memory. */
function insert(conversion: Conversion, node: Scalar, text: string): string {
  const { budget } = conversion;
  return substitute(text, (name) => {
    const value = textOf(requireVariable(conversion, node, name)) ?? '';
    budget.characters -= value.length;
    if (budget.characters < 0) throw tooLarge(conversion, node);
    return value;
  });
}

function spendCharacters(conversion: Conversion, node: Node, value: Value): Value {
  const { budget } = conversion;
  budget.characters -= (textOf(value) ?? '').length;
  if (budget.characters < 0) throw tooLarge(conversion, node);
  return value;
}

const tooLarge = ({ file }: Conversion, node: Node) =>
  file.fail(offsetOf(node), 'the result is too large once aliases and variables are resolved.');

function requireVariable({ file, variables }: Conversion, node: Scalar, name: string): Value {
  const value = variables?.get(name);
  if (value !== undefined) return value;
  throw file.fail(offsetOf(node), `the variable \${${name}} is not defined.`, {
    hint: `Define ${name} in the variables of the service or its environment, or write $\${${name}} to keep the text as it is.`,
    details: { variable: name },
  });
}

function scalarValue(node: Scalar): Value {
  const { value, source = '' } = node;
  if (node.type !== Scalar.PLAIN || node.tag === 'tag:yaml.org,2002:str')
    return typeof value === 'string' ? value : source;
  if (source.includes('\n')) return String(value);
  const known = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
  return new Plain(source, known || value === null ? value : source);
}

function offsetOf(node: unknown): number {
  return isAlias(node) || isMap(node) || isSeq(node) || isScalar(node) ? (node.range?.[0] ?? 0) : 0;
}
