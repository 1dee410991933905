/** Whole documents of a file: taken out and put in together with the `---` line that belongs to them. */
import type { ParsedText } from '../core/document.ts';
import type { Body } from '../core/outline.ts';
import type { Change, EditContext } from './context.ts';
import { documentNames, matchOf } from '../core/identity.ts';
import { refuse } from '../core/refusal.ts';
import { formatSelector, type Selector } from '../core/selector.ts';
import { canonicalSource } from '../core/source.ts';
import { reindent, type Splice } from '../core/splice.ts';
import { lineEnd, nextLine, placeOf } from '../core/text.ts';

/** What stands from one `---` line to the next. */
interface Section {
  readonly start: number;
  /** Behind the `---` line; `start` where there is none, which only the first section may lack. */
  readonly head: number;
  readonly end: number;
}

/** Takes a document out that the target does not have. */
export function removeDocument(context: EditContext, body: Body, selector: Selector): Change {
  requireNamed(context.base, selector);
  if (context.base.bodies.length === 1) {
    const place = placeOf(context.base.text, body.root.start);
    refuse('document', `${formatSelector(selector)} is the only document of its file (${place}).`);
  }
  return {
    splices: [cutDocument(context, body)],
    operations: [{ op: 'remove', selector: formatSelector(selector) }],
  };
}

/** Puts a document of the target in, behind the one that it stood behind. */
export function addDocument(context: EditContext, body: Body, selector: Selector): Change {
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
    `One of the ${bodies.length} documents stands on one side only, and its number does not tell which one.`,
    'Name the document, for example [kind=Deployment,metadata.name=api], or restore the whole file with --whole-file.',
  );
}

export function cutDocument({ base, target }: EditContext, body: Body): Splice {
  const { text } = base;
  const sections = sectionsOf(base);
  const section = sectionOf(sections, body);
  if (section.head > section.start) return { start: section.start, end: section.end, text: '' };
  // Without a `---` of its own: the next one goes, so that the file still begins without one.
  const lead = common(leadOf(text, section), leadOf(target.text, sectionsOf(target)[0]));
  const next = sections[1];
  const isBare = next && text.slice(next.start, next.head).trim() === '---';
  return { start: section.start + lead.length, end: isBare ? next.head : section.end, text: '' };
}

export function insertDocument(context: EditContext, body: Body): Splice {
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

/** The documents of the base between which a document of the target stood. */
function neighbours({ base, target }: EditContext, body: Body): { behind?: Body; before?: Body } {
  const lists = [base, target].map((parsed) => ({ parsed, items: parsed.bodies.map(({ root }) => root) }));
  const names = documentNames(lists);
  const idOf = (parsed: ParsedText, { root }: Body) =>
    JSON.stringify(names ? matchOf(parsed, root, names) : canonicalSource(parsed, root));
  const there = new Map(base.bodies.map((own) => [idOf(base, own), own]));
  const index = target.bodies.indexOf(body);
  const partners = target.bodies.map((other) => there.get(idOf(target, other)));
  const behind = partners.slice(0, index).findLast((own) => own !== undefined);
  const before = partners.slice(index + 1).find((own) => own !== undefined);
  return { ...(behind && { behind }), ...(before && { before }) };
}

/** `---` at the start of a line is a marker wherever it stands. */
function sectionsOf({ text }: ParsedText): Section[] {
  const first = text.startsWith('\uFEFF') ? 1 : 0;
  const marks: number[] = [];
  for (let at = first; at < text.length; at = nextLine(text, at)) {
    const line = text.slice(at, lineEnd(text, at));
    if (/^---(?:[ \t]|$)/.test(line)) marks.push(at);
    if (/^\.\.\.(?:[ \t]|$)/.test(line) || (line.startsWith('%') && marks.length === 0))
      refuse('document', `The file holds directives or "..." between its documents (${placeOf(text, at)}).`);
  }
  const starts = marks[0] === first ? marks : [first, ...marks];
  return starts.map((start, index) => ({
    start,
    head: marks.includes(start) ? nextLine(text, start) : start,
    end: starts[index + 1] ?? text.length,
  }));
}

function sectionOf(sections: readonly Section[], { root }: Body): Section {
  const found = sections.find(({ start, end }) => root.start >= start && root.start < end);
  return found ?? refuse('document', 'The place of a document in its file is not certain.');
}

/** The lines with which both leads begin, as the first one writes them: what stands above all is about the file. */
function common(own: string, other: string): string {
  const [lines, others] = [linesOf(own), linesOf(other)];
  const end = lines.findIndex((line, index) => line.trimEnd() !== others[index]?.trimEnd());
  return end < 0 ? own : lines.slice(0, end).join('');
}

/** With their line breaks; none of an empty text. */
const linesOf = (text: string): string[] => (text === '' ? [] : text.split(/(?<=\n)/));

/** Comments and blank lines with which a section without `---` begins. */
function leadOf(text: string, section: Section | undefined): string {
  if (!section || section.head > section.start) return '';
  let end = section.start;
  while (end < section.end && /^[ \t]*(?:#.*)?$/.test(text.slice(end, lineEnd(text, end))))
    end = nextLine(text, end);
  return text.slice(section.start, Math.min(end, section.end));
}
