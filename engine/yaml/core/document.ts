import { type Document, isAlias, type Node, parseAllDocuments } from 'yaml';
import { flatBody, flatEntries } from '../formats/flat.ts';
import type { Format } from '../formats/format.ts';
import { jsonCode } from '../formats/json-comments.ts';
import { type DocumentBody, type OutlineEntry, type Outline, outlineRoot } from './outline.ts';
import { refuse } from './refusal.ts';
import { positionOf } from './text.ts';

/** Maximum length of a text that is parsed, in UTF-16 units. */
const MAX_TEXT = 4 * 1024 * 1024;
const MAX_DEPTH = 100;
/** Maximum number of nodes that expanding all aliases may add (guards against alias bombs). */
const MAX_EXPANSION = 200_000;

/** A parsed text of one of the formats with fields. Text and offsets include a byte order mark, if there is one. */
export interface ParsedText {
  readonly text: string;
  readonly format: Format;
  /** The text with JSON comments replaced by spaces; offsets are the same. */
  readonly code: string;
  /** All documents of the parser, empty ones included. */
  readonly documents: readonly Document.Parsed[];
  /** The documents that are not empty, in order. Selectors count these. */
  readonly bodies: readonly DocumentBody[];
  /** The anchored node that each alias refers to. */
  readonly aliases: ReadonlyMap<Node, Outline>;
}

export interface ParseOptions {
  /** YAML version; ignored by flat formats. */
  readonly version?: '1.2' | '1.1';
  readonly format?: Format;
}

/**
 * Parses a text as YAML 1.2 (JSON is a subset), or as another version or format. Messages give line and column, never the content.
 * @throws EDIT_REFUSED if the text cannot be edited by field: syntax errors, templates, duplicate keys, aliases without an anchor,
 * alias bombs, size
 */
export function parseText(text: string, { version = '1.2', format = 'yaml' }: ParseOptions = {}): ParsedText {
  if (text.length > MAX_TEXT) refuse('too-large', `The file has more than ${MAX_TEXT} characters.`);
  if (format === 'dotenv' || format === 'properties') {
    const body = flatBody(text, flatEntries(text, format));
    return { text, format, code: text, documents: [body.document], bodies: [body], aliases: new Map() };
  }
  const code = format === 'json' ? jsonCode(text) : text;
  const documents = parseDocuments(code, version);
  const bodies: DocumentBody[] = [];
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
  // The parser's `uniqueKeys` is quadratic in the size of a map; `checkKeys` is linear.
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

/** The parser is recursive: deep nesting overflows its stack. */
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
  const place = positionOf(text, error.pos[0]);
  if (/\{\{|\{%|<%/.test(text))
    refuse('templated', `The file is a template that is not YAML by itself (${place}).`);
  if (error.code === 'RESOURCE_EXHAUSTION') refuse('too-deep', `The file is nested too deeply (${place}).`);
  if (error.code === 'DUPLICATE_KEY') refuse('duplicate-key', `A map has a duplicate key (${place}).`);
  refuse('syntax', `The file is not valid YAML (${error.code} at ${place}).`);
}

interface AliasCheck {
  readonly text: string;
  readonly anchors: Map<string, Outline>;
  /** Anchored nodes whose children are being visited. */
  readonly open: Set<Outline>;
  /** Number of nodes in each anchored subtree, aliases expanded. */
  readonly sizes: Map<Outline, number>;
  readonly aliases: Map<Node, Outline>;
  nodes: number;
}

function checkDocument(text: string, root: Outline, aliases: Map<Node, Outline>): void {
  const walk: AliasCheck = { text, anchors: new Map(), open: new Set(), sizes: new Map(), aliases, nodes: 0 };
  const size = checkNode(walk, root, 0);
  if (size - walk.nodes <= MAX_EXPANSION) return;
  const [first] = aliases.keys();
  const place = positionOf(text, first?.range?.[0] ?? 0);
  refuse('alias-bomb', `The aliases of the file expand to too many nodes (the first one at ${place}).`);
}

function checkNode(walk: AliasCheck, outline: Outline, depth: number): number {
  if (depth > MAX_DEPTH)
    refuse(
      'too-deep',
      `The file is nested more than ${MAX_DEPTH} levels deep (${positionOf(walk.text, outline.start)}).`,
    );
  walk.nodes += 1;
  if (outline.node && isAlias(outline.node)) return resolveAlias(walk, outline, outline.node.source);
  if (outline.anchor !== null) {
    walk.anchors.set(outline.anchor, outline);
    walk.open.add(outline);
  }
  if (outline.flow && walk.text.startsWith('{{', outline.start)) {
    refuse('templated', `The file contains a template expression (${positionOf(walk.text, outline.start)}).`);
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

function resolveAlias(walk: AliasCheck, outline: Outline, name: string): number {
  const place = positionOf(walk.text, outline.start);
  const source = walk.anchors.get(name);
  if (!source)
    refuse(
      'alias',
      `The alias *${name} has no anchor before it (${place}).`,
      'Fix the file first, or restore the whole file with --whole-file.',
    );
  if (walk.open.has(source))
    refuse('alias-bomb', `The alias *${name} refers to a node that contains it (${place}).`);
  if (outline.node) walk.aliases.set(outline.node, source);
  return walk.sizes.get(source) ?? 1;
}

function checkKeys(walk: AliasCheck, map: Outline): void {
  const seen = new Set<string>();
  for (const entry of map.entries) {
    if (entry.key === null) continue;
    if (seen.has(entry.key)) refuseDuplicate(walk.text, entry);
    seen.add(entry.key);
  }
}

function refuseDuplicate(text: string, entry: OutlineEntry): never {
  refuse('duplicate-key', `A map has a duplicate key (${positionOf(text, entry.start)}).`);
}

function refuseAnchoredKey(text: string, key: Node): never {
  refuse(
    'anchor',
    `A key has an anchor (${positionOf(text, key.range?.[0] ?? 0)}).`,
    'Restore the whole file with --whole-file.',
  );
}
