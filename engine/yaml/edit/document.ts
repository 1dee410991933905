/** Removes and inserts whole documents of a file together with their `---` line. */
import type { ParsedText } from '../core/document.ts';
import type { DocumentBody } from '../core/outline.ts';
import type { Change, EditContext } from './context.ts';
import { documentNames, matchOf } from '../core/identity.ts';
import { refuse } from '../core/refusal.ts';
import { formatSelector, type Selector } from '../core/selector.ts';
import { canonicalSource } from '../core/source.ts';
import { reindent, type Splice } from '../core/splice.ts';
import { lineEnd, nextLine, positionOf } from '../core/text.ts';

/** The text from one `---` line to the next. */
interface Section {
  readonly start: number;
  /** After the `---` line; equals `start` without one, which only the first section may lack. */
  readonly head: number;
  readonly end: number;
}

/** Removes a document that the target does not have. */
export function removeDocument(context: EditContext, body: DocumentBody, selector: Selector): Change {
  requireNamed(context.base, selector);
  if (context.base.bodies.length === 1) {
    const place = positionOf(context.base.text, body.root.start);
    refuse('document', `${formatSelector(selector)} is the only document of its file (${place}).`);
  }
  return {
    splices: [cutDocument(context, body)],
    operations: [{ op: 'remove', selector: formatSelector(selector) }],
  };
}

/** Inserts a document of the target after the one that it follows there. */
export function addDocument(context: EditContext, body: DocumentBody, selector: Selector): Change {
  requireNamed(context.target, selector);
  return {
    splices: [insertDocument(context, body)],
    operations: [{ op: 'add', selector: formatSelector(selector) }],
  };
}

function requireNamed({ bodies }: ParsedText, [first]: Selector): void {
  if (first && 'match' in first) return;
  refuse(
    'document',
    `One side has ${bodies.length} documents and a document is missing on the other; an index does not identify it.`,
    'Name the document, for example [kind=Deployment,metadata.name=api], or restore the whole file with --whole-file.',
  );
}

export function cutDocument({ base, target }: EditContext, body: DocumentBody): Splice {
  const { text } = base;
  const sections = sectionsOf(base);
  const section = sectionOf(sections, body);
  if (section.head > section.start) return { start: section.start, end: section.end, text: '' };
  // The first section has no `---`: remove the next one instead, so that the file still starts without one.
  const lead = common(leadOf(text, section), leadOf(target.text, sectionsOf(target)[0]));
  const next = sections[1];
  const isBare = next && text.slice(next.start, next.head).trim() === '---';
  return { start: section.start + lead.length, end: isBare ? next.head : section.end, text: '' };
}

export function insertDocument(context: EditContext, body: DocumentBody): Splice {
  const { base, target, eol } = context;
  const sections = sectionsOf(base);
  const own = sectionOf(sectionsOf(target), body);
  const lead = common(leadOf(base.text, sections[0]), leadOf(target.text, own));
  const source = linesOf(target.text.slice(own.head, own.end)).slice(linesOf(lead).length).join('');
  const lines = withBreak(reindent(source, 0, eol), eol);
  const mark = own.head > own.start ? reindent(target.text.slice(own.start, own.head), 0, eol) : `---${eol}`;
  const { behind, before } = neighbours(context, body);
  if (behind || !before) {
    const at = behind ? sectionOf(sections, behind).end : base.text.length;
    const open = at === base.text.length && !/(^\uFEFF?|\n)$/.test(base.text);
    return { start: at, end: at, text: (open ? eol : '') + mark + lines };
  }
  const next = sectionOf(sections, before);
  if (next.head > next.start) return { start: next.start, end: next.start, text: mark + lines };
  const at = next.start + lead.length;
  const isBare = mark.trim() === '---';
  return { start: at, end: at, text: `${isBare ? '' : mark}${lines}---${eol}` };
}

const withBreak = (text: string, eol: string): string => (text.endsWith('\n') ? text : text + eol);

/** The documents of the base nearest to a document's position in the target. */
function neighbours(
  { base, target }: EditContext,
  body: DocumentBody,
): { behind?: DocumentBody; before?: DocumentBody } {
  const lists = [base, target].map((parsed) => ({ parsed, items: parsed.bodies.map(({ root }) => root) }));
  const names = documentNames(lists);
  const idOf = (parsed: ParsedText, { root }: DocumentBody) =>
    JSON.stringify(names ? matchOf(parsed, root, names) : canonicalSource(parsed, root));
  const there = new Map(base.bodies.map((own) => [idOf(base, own), own]));
  const index = target.bodies.indexOf(body);
  const partners = target.bodies.map((other) => there.get(idOf(target, other)));
  const behind = partners.slice(0, index).findLast((own) => own !== undefined);
  const before = partners.slice(index + 1).find((own) => own !== undefined);
  return { ...(behind && { behind }), ...(before && { before }) };
}

/** In a block scalar, too, `---` at the start of a line ends the document. */
function sectionsOf({ text }: ParsedText): Section[] {
  const first = text.startsWith('\uFEFF') ? 1 : 0;
  const marks: number[] = [];
  for (let at = first; at < text.length; at = nextLine(text, at)) {
    const line = text.slice(at, lineEnd(text, at));
    if (/^---(?:[ \t]|$)/.test(line)) marks.push(at);
    if (/^\.\.\.(?:[ \t]|$)/.test(line) || (line.startsWith('%') && marks.length === 0))
      refuse('document', `The file has directives or "..." between its documents (${positionOf(text, at)}).`);
  }
  const starts = marks[0] === first ? marks : [first, ...marks];
  return starts.map((start, index) => ({
    start,
    head: marks.includes(start) ? nextLine(text, start) : start,
    end: starts[index + 1] ?? text.length,
  }));
}

function sectionOf(sections: readonly Section[], { root }: DocumentBody): Section {
  const found = sections.find(({ start, end }) => root.start >= start && root.start < end);
  return found ?? refuse('document', 'The position of a document in its file is ambiguous.');
}

/** The common leading lines of both leads, as in the first: comments about the file, not about its first document. */
function common(own: string, other: string): string {
  const [lines, others] = [linesOf(own), linesOf(other)];
  const end = lines.findIndex((line, index) => line.trimEnd() !== others[index]?.trimEnd());
  return end < 0 ? own : lines.slice(0, end).join('');
}

/** Lines with their line breaks; [] for an empty text. */
const linesOf = (text: string): string[] => (text === '' ? [] : text.split(/(?<=\n)/));

/** Leading comments and blank lines of a section without `---`. */
function leadOf(text: string, section: Section | undefined): string {
  if (!section || section.head > section.start) return '';
  let end = section.start;
  while (end < section.end && /^[ \t]*(?:#.*)?$/.test(text.slice(end, lineEnd(text, end))))
    end = nextLine(text, end);
  return text.slice(section.start, Math.min(end, section.end));
}
