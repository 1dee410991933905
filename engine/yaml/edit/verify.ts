import jsonPatch, { type Operation } from 'fast-json-patch';
import { type ParsedText, parseText } from '../core/document.ts';
import { guardAliases } from './alias.ts';
import { isEqual, unshare } from '../core/equal.ts';
import type { Format } from '../formats/format.ts';
import { jsonLevel } from '../formats/json-comments.ts';
import { locate, selectSource } from '../core/locate.ts';
import { type Located } from '../core/located.ts';
import type { Outline } from '../core/outline.ts';
import { refusalReason, refuse } from '../core/refusal.ts';
import type { Selector } from '../core/selector.ts';
import { canonicalRest, type Hole } from '../core/source.ts';

export interface AppliedEdit {
  readonly base: ParsedText;
  readonly target: ParsedText;
  readonly selector: Selector;
  /** The base after the edit. */
  readonly text: string;
}

/**
 * Verifies an edit by parsing its result: the selected field equals the target's; every other source is that of the base; and the values
 * equal the result of the same RFC 6902 operation on the base's value, under YAML 1.2 and YAML 1.1.
 * @throws EDIT_REFUSED otherwise
 */
export function verifyEdit({ base, target, selector, text }: AppliedEdit): void {
  const result = parseAgain(text, base.format);
  if (selectSource(result, selector) !== selectSource(target, selector)) {
    if (selector.length > 0) guardAliases({ base, target, result }, selector);
    fail('the field would differ from the target');
  }
  if (selector.length === 0) return;
  const paths = {
    base: pathIn(base, selector),
    target: pathIn(target, selector),
    result: pathIn(result, selector),
  };
  const isOneSided = paths.base === null || paths.target === null;
  const isDocument = isOneSided && (paths.base ?? paths.target)?.length === 1;
  if (isJson(base.text) && (isDocument || base.format === 'json' || isJson(target.text)) && !isJson(text))
    fail('the file would no longer be JSON');
  if (base.format === 'json' && jsonLevel(base.text) === 'comments' && jsonLevel(text) === null)
    fail('the file would no longer be JSON with comments');
  const holeIn = isDocument ? documentHole : holeOf;
  if (canonicalRest(base, holeIn(base, selector)) !== canonicalRest(result, holeIn(result, selector))) {
    fail('another field would change as well');
  }
  verifyValues({ base, target, result }, paths);
  const old = [base, target, result].map(({ text: own }) => parseAgain(own, base.format, '1.1'));
  const [base11, target11, result11] = old;
  if (base11 && target11 && result11)
    verifyValues({ base: base11, target: target11, result: result11 }, paths);
}

function parseAgain(text: string, format: Format, version: '1.2' | '1.1' = '1.2'): ParsedText {
  try {
    return parseText(text, { format, version });
  } catch (error) {
    const reason = refusalReason(error);
    if (reason === null) throw error;
    if (reason === 'alias') fail('an alias would lose its anchor', 'alias');
    return fail(version === '1.1' ? 'the file is not valid under YAML 1.1' : 'the file would not be valid');
  }
}

interface Sides<T> {
  readonly base: T;
  readonly target: T;
  readonly result: T;
}

/** Indices of the document and of each entry below it; null if the node does not exist. */
type IndexPath = readonly number[] | null;

function verifyValues(parsed: Sides<ParsedText>, paths: Sides<IndexPath>): void {
  const expected = applied(valuesOf(parsed.base), operationOf(parsed, paths));
  if (!isEqual(expected, valuesOf(parsed.result))) fail('the value of another field would change as well');
}

function operationOf(parsed: Sides<ParsedText>, paths: Sides<IndexPath>): Operation {
  if (paths.target === null) {
    if (paths.base === null) return fail('neither side has the field');
    return { op: 'remove', path: pointerTo(parsed.base, paths.base) };
  }
  const value = valueAt(parsed.target, paths.target);
  if (paths.base !== null) return { op: 'replace', path: pointerTo(parsed.base, paths.base), value };
  if (paths.result === null) return fail('the field would not exist');
  const path = pointerTo(parsed.result, paths.result);
  if (paths.result.length === 1) return { op: 'add', path, value };
  const parent = nodeAt(parsed.base, paths.result.slice(0, -1));
  if (parent.kind === 'map' || parent.kind === 'seq') return { op: 'add', path, value };
  // RFC 6902 cannot add below null: the collection is added with the field.
  const list = nodeAt(parsed.result, paths.result.slice(0, -1)).kind === 'seq';
  const key = keysTo(parsed.result, paths.result).at(-1) ?? '';
  if (key === '__proto__') refuse('prototype-key', 'The field is named __proto__.');
  return {
    op: 'replace',
    path: path.slice(0, path.lastIndexOf('/')),
    value: list ? [value] : { [key]: value },
  };
}

function applied(document: unknown, operation: Operation): unknown {
  try {
    return jsonPatch.applyOperation(document, operation, true, true, true).newDocument;
  } catch (error) {
    if (error instanceof TypeError)
      return refuse('prototype-key', 'The field has __proto__ or a prototype in its path.');
    return fail('the operation cannot be applied to the value of the file');
  }
}

function valuesOf({ bodies }: ParsedText): unknown[] {
  try {
    return bodies.map(({ document }) => unshare(document.toJS({ maxAliasCount: -1 })));
  } catch {
    return fail('an alias or << of the file cannot be resolved');
  }
}

function valueAt(parsed: ParsedText, path: readonly number[]): unknown {
  return keysTo(parsed, path).reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? Object.getOwnPropertyDescriptor(value, key)?.value
        : undefined,
    valuesOf(parsed),
  );
}

const pointerTo = (parsed: ParsedText, path: readonly number[]): string =>
  keysTo(parsed, path)
    .map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');

/** Keys of a path as this version of YAML reads them: `on` is `true` in 1.1. */
function keysTo(parsed: ParsedText, path: readonly number[]): string[] {
  const [body = 0, ...below] = path;
  const keys = [String(body)];
  let outline = parsed.bodies[body]?.root;
  for (const index of below) {
    const entry = outline?.entries[index];
    keys.push(outline?.kind === 'map' ? (entry?.key ?? '') : String(index));
    outline = entry?.value;
  }
  return keys;
}

function nodeAt(parsed: ParsedText, [body = 0, ...below]: readonly number[]): Outline {
  let outline = parsed.bodies[body]?.root;
  for (const index of below) outline = outline?.entries[index]?.value;
  return outline ?? fail('the position of the field cannot be determined');
}

function pathIn(parsed: ParsedText, selector: Selector): IndexPath {
  const found = locate(parsed, selector);
  return found && indicesOf(parsed, found);
}

function indicesOf(parsed: ParsedText, { body, ancestors, outline }: Located): number[] {
  const nodes = [...ancestors.slice(1), ...(ancestors.length > 0 ? [outline] : [])];
  const steps = nodes.map(
    (node, level) => ancestors[level]?.entries.findIndex(({ value }) => value === node) ?? 0,
  );
  return [parsed.bodies.indexOf(body), ...steps];
}

const documentHole = (parsed: ParsedText, selector: Selector): Hole => ({
  document: locate(parsed, selector)?.outline ?? null,
});

/** The position of the field, whether it exists or not. */
function holeOf(parsed: ParsedText, selector: Selector): Hole {
  const found = locate(parsed, selector);
  if (found) return found.parent ? { parent: found.parent, entry: found.entry } : { root: found.outline };
  const parent = locate(parsed, selector.slice(0, -1));
  return parent
    ? { parent: parent.outline, entry: null }
    : fail('the position of the field cannot be determined');
}

const isJson = (text: string): boolean => jsonLevel(text) === 'strict';

function fail(problem: string, reason: 'verify-mismatch' | 'alias' = 'verify-mismatch'): never {
  refuse(reason, `The edit failed verification: ${problem}.`);
}
