import { isMap, isScalar, isSeq } from 'yaml';
import type { FieldChange, FileDifference } from '../../model/index.ts';
import type { Comparison, ComparedText } from './compare.ts';
import { compareNodes, Incomparable, nodeListOf } from './compare.ts';
import { type ParsedText, parseText } from '../core/document.ts';
import { findSecrets, type Secrets } from '../mask/find-secrets.ts';
import { fileKind } from '../formats/format.ts';
import { unmaskSelected } from '../mask/unmasked-values.ts';
import { maskLines } from '../mask/lines.ts';
import { makeDiffBudget } from './line-diff.ts';
import { hasExtension, PARSED_LIMIT } from '../mask/mask.ts';
import { parseFileLoosely } from '../core/parse-file.ts';
import { matchByPlace, matchDocuments } from '../core/match-items.ts';
import type { Outline } from '../core/outline.ts';
import { type Marker, MASK } from '../mask/secrets.ts';
import { refusalReason } from '../core/refusal.ts';
import type { Selector } from '../core/selector.ts';
import { tryParse } from '../core/try-parse.ts';
import { BINARY, unifiedDiff } from './unified.ts';

export { unifiedDiff } from './unified.ts';

/**
 * The differences of two YAML or JSON texts, leaf by leaf: canonical selectors (list items and documents by identity) and the
 * source text of the values, shortened to 200 characters around the first difference; with a diff of their lines if that leaves
 * something out or they have several lines (unless `lines` is false). A value that is secret on one side is masked on both.
 * null as input: no file; all its leaves count. Differences of layout and comments are ignored.
 * Returns null if fields cannot give the difference: a side does not parse, a key is not a scalar, or there are over 2000 changes.
 */
export function diffFields(
  input: {
    /** Determines the format; without it the texts are YAML. */
    path?: string;
    /** Selectors that are not masked; see `unmaskSelected`. */
    unmasked?: readonly Selector[];
    before: string | null;
    after: string | null;
  },
  { lines = true, remembered }: { readonly lines?: boolean; readonly remembered?: Remembered } = {},
): FieldChange[] | null {
  const after = remembered?.text === input.after ? remembered.side : parse(input, input.after);
  const before = parse(input, input.before);
  if (remembered) [remembered.text, remembered.side] = [input.before, before];
  if (before === null || after === null) return null;
  const comparison: Comparison = { before, after, changes: [], budget: lines ? makeDiffBudget() : null };
  try {
    compareDocuments(comparison);
  } catch (error) {
    if (error instanceof Incomparable) return null;
    throw error;
  }
  return comparison.changes;
}

/**
 * The difference of a file, for display, masked. By field for files of a known format, and for files without extension that contain
 * maps or lists; with a unified diff as well if the fields are equal and the text is not. Other files as a unified diff only; bytes
 * that are not UTF-8 text as binary. null: no file.
 */
export function differenceOf(input: {
  path: string;
  unmasked?: readonly Selector[];
  before: Uint8Array | null;
  after: Uint8Array | null;
}): FileDifference {
  const { path, unmasked = [] } = input;
  const change = input.before === null ? 'added' : input.after === null ? 'removed' : 'modified';
  const before = decode(input.before);
  const after = decode(input.after);
  if (before === undefined || after === undefined) return { path, change, diff: BINARY };
  const fields = isByFields({ path, before, after }) ? diffFields({ path, unmasked, before, after }) : null;
  if (fields === null) return { path, change, diff: unifiedDiff({ path, before, after }) };
  if (fields.length > 0 || before === after) return { path, change, fields };
  return { path, change, fields, diff: unifiedDiff({ path, before, after }) };
}

type Input = Parameters<typeof diffFields>[0];

/** The older text of a file as it was read last: in a history, newest first, it is the newer one of the next comparison. */
export class Remembered {
  text: string | null | undefined;
  side: ComparedText | null = null;
}

function parse(
  { path, unmasked = [] }: Pick<Input, 'path' | 'unmasked'>,
  text: string | null,
): ComparedText | null {
  if (text !== null && text.length > PARSED_LIMIT) return null;
  try {
    const parsed = path === undefined ? parseText(text ?? '') : parseFileLoosely(path, text ?? '');
    const outlines = new Map<unknown, Outline>();
    for (const { root } of parsed.bodies) collect(root, outlines);
    const secretTexts = new Set<string>();
    const found = secretsOf(parsed, (secret) => {
      secretTexts.add(secret);
      return MASK;
    });
    const secrets = unmaskSelected(found, parsed, unmasked);
    return { text: parsed.text, parsed, outlines, secrets, secretTexts, unmasked };
  } catch (error) {
    if (refusalReason(error) !== null) return null;
    throw error;
  }
}

/** Lines of flat files are also masked by the rules for lines: a value that these find is secret here too. */
function secretsOf({ text, code, format, documents, bodies }: ParsedText, marker: Marker): Secrets {
  const secrets = findSecrets(text, documents, marker, { code });
  if (format !== 'dotenv' && format !== 'properties') return secrets;
  const found = (bodies[0]?.root.entries ?? []).flatMap(({ start, value }) => {
    const line = text.slice(start, value.end);
    return maskLines(line) === line ? [] : [value.node];
  });
  return {
    ...secrets,
    nodes: new Set([...secrets.nodes, ...found]),
    masked: new Set([...secrets.masked, ...found]),
  };
}

function collect(outline: Outline, outlines: Map<unknown, Outline>): void {
  if (outline.node !== null) outlines.set(outline.node, outline);
  for (const { value } of outline.entries) collect(value, outlines);
}

function compareDocuments(comparison: Comparison): void {
  const [old, next] = [comparison.before, comparison.after].map((side) =>
    nodeListOf(
      side,
      side.parsed.bodies.map(({ document }) => document.contents),
    ),
  );
  if (old === undefined || next === undefined) return;
  if (old.nodes.length > 1 || next.nodes.length > 1) {
    for (const item of matchDocuments(old, next).items) compareNodes(comparison, item, [item.step]);
  } else {
    for (const item of matchByPlace(old, next).items) compareNodes(comparison, item, []);
  }
}

/** undefined: not UTF-8 text. */
function decode(bytes: Uint8Array | null): string | null | undefined {
  if (bytes === null) return null;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Whether a file has fields for display. In another, what is secret is known by its lines alone. */
export function isByFields({
  path,
  before,
  after,
}: {
  path: string;
  before: string | null;
  after: string | null;
}): boolean {
  if (fileKind(path).is === 'known') return true;
  return !hasExtension(path) && [before, after].every((text) => text === null || isCollectionText(text));
}

function isCollectionText(text: string): boolean {
  const documents = tryParse(text) ?? [];
  const filled = documents.filter(
    ({ contents }) => contents !== null && !(isScalar(contents) && contents.value === null),
  );
  return filled.length > 0 && filled.every(({ contents }) => isMap(contents) || isSeq(contents));
}
