import type { ParsedText } from './document.ts';
import { type Entry, type Outline, plainText } from './outline.ts';

/**
 * The one place that is left out when the rest of two files is compared: what a document holds (`root`), a document that only one of them has, or `entry` of `parent` (null where it is not there).
 * A parent that holds nothing else may also be empty or null: giving the first entry makes it, taking the last one away empties it.
 */
export type Hole =
  | { readonly root: Outline }
  | { readonly document: Outline | null }
  | { readonly parent: Outline; readonly entry: Entry | null };

/**
 * What a node says, independent of where it stands and how the text around it is laid out: two nodes have equal texts if and only if they are the
 * same field. A scalar is its own source (so `on` and `"on"` differ), a block scalar has its header and its lines without
 * indentation. Maps are sorted by key, since their order means nothing; comments, the style of collections and the names of anchors are left out. An alias
 * brings along what it stands for.
 */
export function canonicalSource(parsed: ParsedText, outline: Outline): string {
  return write({ parsed, hole: null }, outline, false);
}

/** The canonical source of everything in a file but one place. */
export function canonicalRest(parsed: ParsedText, hole: Hole): string {
  const left = 'document' in hole ? hole.document : null;
  const bodies = parsed.bodies.filter(({ root }) => root !== left);
  return bodies.map(({ root }) => write({ parsed, hole }, root, false)).join('\n---\n');
}

/** The canonical source of all documents. */
export function canonicalFile(parsed: ParsedText): string {
  return parsed.bodies.map(({ root }) => canonicalSource(parsed, root)).join('\n---\n');
}

interface Writing {
  readonly parsed: ParsedText;
  readonly hole: Hole | null;
}

function write(writing: Writing, outline: Outline, nested: boolean): string {
  const { hole, parsed } = writing;
  const { node, kind } = outline;
  if (hole && 'root' in hole && hole.root === outline) return '';
  const own = hole && 'parent' in hole && hole.parent === outline ? hole : null;
  const entries = own ? outline.entries.filter((entry) => entry !== own.entry) : outline.entries;
  if (own && entries.length === 0) return '';
  const tag = outline.tag === '' ? '' : `${outline.tag} `;
  if (kind === 'map') return `${tag}{${mapEntries(writing, entries).join(',')}}`;
  if (kind === 'seq') return `${tag}[${entries.map(({ value }) => write(writing, value, true)).join(',')}]`;
  if (kind === 'alias') {
    const source = node ? parsed.aliases.get(node) : undefined;
    const name = parsed.text.slice(outline.start, outline.end);
    return `${name}=${source ? write({ parsed, hole: null }, source, true) : ''}`;
  }
  const scalar = scalarSource(parsed.text, outline);
  return nested ? JSON.stringify(scalar) : scalar;
}

function mapEntries(writing: Writing, entries: readonly Entry[]): string[] {
  const { text } = writing.parsed;
  return entries
    .map((entry) => `${JSON.stringify(keySource(text, entry))}:${write(writing, entry.value, true)}`)
    .sort((a, b) => (a < b ? -1 : 1));
}

/** A key as it is written. */
export function keySource(text: string, entry: Entry): string {
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

/** Blanks before the first line that holds something else. */
function leading(lines: readonly string[]): number {
  const line = lines.find((candidate) => /[^ ]/.test(candidate));
  return line === undefined ? 0 : line.search(/[^ ]/);
}
