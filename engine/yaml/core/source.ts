import type { ParsedText } from './document.ts';
import { type OutlineEntry, type Outline, plainText } from './outline.ts';

/**
 * The part that is excluded when the rest of two files is compared: the content of a document (`root`), a document that only one file
 * has, or `entry` of `parent` (null if it does not exist). A parent without other entries may also be empty or null: adding the first
 * entry creates it, removing the last one empties it.
 */
export type Hole =
  | { readonly root: Outline }
  | { readonly document: Outline | null }
  | { readonly parent: Outline; readonly entry: OutlineEntry | null };

/**
 * The canonical source of a node, independent of position and layout: two nodes have equal texts if and only if they are the
 * same field. A scalar is its own source (`on` and `"on"` differ), a block scalar its header and its lines without
 * indentation. Map keys are sorted. Comments, the style of collections and the names of anchors are excluded. An alias includes the
 * node that it refers to.
 */
export function canonicalSource(parsed: ParsedText, outline: Outline): string {
  return writeCanonical({ parsed, hole: null }, outline, false);
}

/** The canonical source of a file except for one part. */
export function canonicalRest(parsed: ParsedText, hole: Hole): string {
  const left = 'document' in hole ? hole.document : null;
  const bodies = parsed.bodies.filter(({ root }) => root !== left);
  return bodies.map(({ root }) => writeCanonical({ parsed, hole }, root, false)).join('\n---\n');
}

/** The canonical source of all documents. */
export function canonicalFile(parsed: ParsedText): string {
  return parsed.bodies.map(({ root }) => canonicalSource(parsed, root)).join('\n---\n');
}

interface WriteContext {
  readonly parsed: ParsedText;
  readonly hole: Hole | null;
}

function writeCanonical(context: WriteContext, outline: Outline, nested: boolean): string {
  const { hole, parsed } = context;
  const { node, kind } = outline;
  if (hole && 'root' in hole && hole.root === outline) return '';
  const own = hole && 'parent' in hole && hole.parent === outline ? hole : null;
  const entries = own ? outline.entries.filter((entry) => entry !== own.entry) : outline.entries;
  if (own && entries.length === 0) return '';
  const tag = outline.tag === '' ? '' : `${outline.tag} `;
  if (kind === 'map') return `${tag}{${mapEntries(context, entries).join(',')}}`;
  if (kind === 'seq')
    return `${tag}[${entries.map(({ value }) => writeCanonical(context, value, true)).join(',')}]`;
  if (kind === 'alias') {
    const source = node ? parsed.aliases.get(node) : undefined;
    const name = parsed.text.slice(outline.start, outline.end);
    return `${name}=${source ? writeCanonical({ parsed, hole: null }, source, true) : ''}`;
  }
  const scalar = scalarSource(parsed.text, outline);
  return nested ? JSON.stringify(scalar) : scalar;
}

function mapEntries(context: WriteContext, entries: readonly OutlineEntry[]): string[] {
  const { text } = context.parsed;
  return entries
    .map((entry) => `${JSON.stringify(keySource(text, entry))}:${writeCanonical(context, entry.value, true)}`)
    .sort((a, b) => (a < b ? -1 : 1));
}

/** The source of an entry's key. */
export function keySource(text: string, entry: OutlineEntry): string {
  const range = entry.keyNode?.range;
  return range ? text.slice(range[0], range[1]) : '';
}

function scalarSource(text: string, outline: Outline): string {
  if (outline.kind === 'block') return blockSource(text, outline);
  const source = text.slice(outline.start, outline.end).replace(/^(!\S*\s+)?&\S+\s*/, '$1');
  return source.includes('\n') ? source.replace(/\r?\n[ \t]*/g, '\n') : source;
}

function blockSource(text: string, outline: Outline): string {
  const [first = '', ...lines] = text.slice(outline.start, outline.end).split(/\r?\n/);
  const header = first
    .replace(/\s+#.*$/, '')
    .replace(/^(!\S*\s+)?&\S+\s*/, '$1')
    .trimEnd();
  const value = outline.node && 'value' in outline.node ? (plainText(outline.node.value) ?? '') : '';
  const indent = leading(lines) - leading(value.split('\n'));
  return [header, ...lines.map((line) => line.slice(Math.min(indent, leading([line]))))].join('\n');
}

/** Indentation of the first line that is not blank. */
function leading(lines: readonly string[]): number {
  const line = lines.find((candidate) => /[^ ]/.test(candidate));
  return line === undefined ? 0 : line.search(/[^ ]/);
}
