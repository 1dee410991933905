import { type Document, isAlias, type Node, parseAllDocuments } from 'yaml';
import { flatBody, flatEntries } from '../formats/flat.ts';
import type { Format } from '../formats/format.ts';
import { jsonCode } from '../formats/json-comments.ts';
import { type Body, type Entry, type Outline, outlineRoot } from './outline.ts';
import { refuse } from './refusal.ts';
import { placeOf } from './text.ts';

/** Characters of the largest text that is taken apart. */
export const MAX_TEXT = 4 * 1024 * 1024;
const MAX_DEPTH = 100;
/** Nodes that aliases may add to a text when each is replaced by what it stands for. */
const MAX_EXPANSION = 200_000;

/** A text of one of the formats with fields, taken apart. Text and offsets include a byte order mark, if there is one. */
export interface ParsedText {
  readonly text: string;
  readonly format: Format;
  /** The text with blanks in place of what is no code: comments of JSON. Offsets are the same. */
  readonly code: string;
  /** Every document of the parser, empty ones too. */
  readonly documents: readonly Document.Parsed[];
  /** The documents that hold something, in order: what the steps of a selector count. */
  readonly bodies: readonly Body[];
  /** What each alias stands for. */
  readonly aliases: ReadonlyMap<Node, Outline>;
}

export interface Reading {
  /** Of YAML and JSON. */
  readonly version?: '1.2' | '1.1';
  readonly format?: Format;
}

/**
 * Takes a text apart under YAML 1.2 (JSON is YAML), or under 1.1 or as another format where asked. Throws EDIT_REFUSED where the text cannot be edited field by field:
 * syntax, templates, duplicate keys, dangling aliases, bombs, size. Messages name the line and column, never the content.
 */
export function parseText(text: string, { version = '1.2', format = 'yaml' }: Reading = {}): ParsedText {
  if (text.length > MAX_TEXT) refuse('too-large', `The file has more than ${MAX_TEXT} characters.`);
  if (format === 'dotenv' || format === 'properties') {
    const body = flatBody(text, flatEntries(text, format));
    return { text, format, code: text, documents: [body.document], bodies: [body], aliases: new Map() };
  }
  const code = format === 'json' ? jsonCode(text) : text;
  const documents = parseDocuments(code, version);
  const bodies: Body[] = [];
  const aliases = new Map<Node, Outline>();
  for (const [index, document] of documents.entries()) {
    checkErrors(text, document);
    const root = guardDepth(() => outlineRoot(text, document.contents, document.range[0]));
    checkDocument(text, root, aliases);
    if (root.kind !== 'empty') bodies.push({ index, document, root });
  }
  return { text, format, code, documents, bodies, aliases };
}

function parseDocuments(text: string, version: '1.2' | '1.1'): readonly Document.Parsed[] {
  // `uniqueKeys` takes time that grows with the square of a map's size: duplicates are looked for below.
  return guardDepth(() => {
    const parsed = parseAllDocuments(text, {
      version,
      keepSourceTokens: true,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'silent',
    });
    return [...parsed];
  });
}

/** The parser recurses: a text nested deeply enough ends its stack. */
function guardDepth<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RangeError) refuse('too-deep', 'The file is nested too deeply.');
    throw error;
  }
}

function checkErrors(text: string, document: Document.Parsed): void {
  const [error] = document.errors;
  if (!error) return;
  const place = placeOf(text, error.pos[0]);
  if (/\{\{|\{%|<%/.test(text))
    refuse('templated', `The file is a template that is not YAML by itself (${place}).`);
  if (error.code === 'RESOURCE_EXHAUSTION') refuse('too-deep', `The file is nested too deeply (${place}).`);
  if (error.code === 'DUPLICATE_KEY') refuse('duplicate-key', `A key stands twice in one map (${place}).`);
  refuse('syntax', `The file is not valid YAML (${error.code} at ${place}).`);
}

interface Walk {
  readonly text: string;
  readonly anchors: Map<string, Outline>;
  /** Anchored nodes that the walk is inside of. */
  readonly open: Set<Outline>;
  /** Nodes below and including each, aliases replaced by what they stand for. */
  readonly sizes: Map<Outline, number>;
  readonly aliases: Map<Node, Outline>;
  nodes: number;
}

function checkDocument(text: string, root: Outline, aliases: Map<Node, Outline>): void {
  const walk: Walk = { text, anchors: new Map(), open: new Set(), sizes: new Map(), aliases, nodes: 0 };
  const size = checkNode(walk, root, 0);
  if (size - walk.nodes <= MAX_EXPANSION) return;
  const [first] = aliases.keys();
  const place = placeOf(text, first?.range?.[0] ?? 0);
  refuse('alias-bomb', `The aliases of the file stand for too much (the first one at ${place}).`);
}

function checkNode(walk: Walk, outline: Outline, depth: number): number {
  if (depth > MAX_DEPTH)
    refuse(
      'too-deep',
      `The file is nested more than ${MAX_DEPTH} deep (${placeOf(walk.text, outline.start)}).`,
    );
  walk.nodes += 1;
  if (outline.node && isAlias(outline.node)) return resolveAlias(walk, outline, outline.node.source);
  if (outline.anchor !== null) {
    walk.anchors.set(outline.anchor, outline);
    walk.open.add(outline);
  }
  if (outline.flow && walk.text.startsWith('{{', outline.start)) {
    refuse('templated', `The file holds a template expression (${placeOf(walk.text, outline.start)}).`);
  }
  if (outline.kind === 'map') checkKeys(walk, outline);
  let size = 1;
  for (const { keyNode, value } of outline.entries) {
    if (keyNode && 'anchor' in keyNode && typeof keyNode.anchor === 'string')
      refuseAnchoredKey(walk.text, keyNode);
    size += checkNode(walk, value, depth + 1);
  }
  walk.open.delete(outline);
  if (outline.anchor !== null) walk.sizes.set(outline, size);
  return size;
}

function resolveAlias(walk: Walk, outline: Outline, name: string): number {
  const place = placeOf(walk.text, outline.start);
  const source = walk.anchors.get(name);
  if (!source)
    refuse(
      'alias',
      `The alias *${name} has no anchor before it (${place}).`,
      'Mend the file first, or restore the whole file with --whole-file.',
    );
  if (walk.open.has(source))
    refuse('alias-bomb', `The alias *${name} stands for a node that it is part of (${place}).`);
  if (outline.node) walk.aliases.set(outline.node, source);
  return walk.sizes.get(source) ?? 1;
}

function checkKeys(walk: Walk, map: Outline): void {
  const seen = new Set<string>();
  for (const entry of map.entries) {
    if (entry.key === null) continue;
    if (seen.has(entry.key)) refuseDuplicate(walk.text, entry);
    seen.add(entry.key);
  }
}

function refuseDuplicate(text: string, entry: Entry): never {
  refuse('duplicate-key', `A key stands twice in one map (${placeOf(text, entry.start)}).`);
}

function refuseAnchoredKey(text: string, key: Node): never {
  refuse(
    'anchor',
    `A key carries an anchor (${placeOf(text, key.range?.[0] ?? 0)}).`,
    'Restore the whole file with --whole-file.',
  );
}

/** The source of a node: its value with anchor and tag, without what follows on its line. */
export const sourceOf = (text: string, outline: Outline): string => text.slice(outline.start, outline.end);
