/** Gives back what an adapter took away: exactly, or not at all. The file may have changed meanwhile; what is recorded may have been edited by hand. */
import type { TakenPart } from '../model/index.ts';
import type { ParsedText } from '../yaml/core/document.ts';
import { isEqual } from '../yaml/core/equal.ts';
import { canonicalFile } from '../yaml/core/source.ts';
import { lineEnd, lineStart } from '../yaml/core/text.ts';
import { entryLine, tryLocate, valueEnd } from './adapters/comments.ts';
import { PREFIX } from './adapters/image-updater.ts';
import { tryParse } from './held.ts';

/** `problem`: the end of a sentence about the file. */
export type GivenBack = { readonly text: string } | { readonly problem: string };

/** The text with the part in it; the same text where it is there already. */
export function giveBack(text: string, part: TakenPart): GivenBack {
  const parsed = tryParse(part.path, text);
  if (parsed === null) return { problem: 'cannot be read any more' };
  const given = KINDS[part.kind](parsed, part);
  if ('problem' in given || given.text === text) return given;
  const result = tryParse(part.path, given.text);
  if (result === null || !isAsMeant(part, parsed, result))
    return { problem: `would not be what it was (${part.adapter})` };
  return given;
}

const KINDS: Readonly<Record<TakenPart['kind'], (parsed: ParsedText, part: TakenPart) => GivenBack>> = {
  'line-end': backToLineEnd,
  above: backAbove,
  value: backToValue,
  entry: backToEntry,
  lines: backBetween,
};

const changed = ({ selector, adapter }: TakenPart): GivenBack => ({
  problem: `was changed since at ${selector === '' ? 'its beginning' : selector}, where the hold took away what ${adapter} works by`,
});

function backToLineEnd(parsed: ParsedText, part: TakenPart): GivenBack {
  const { text } = parsed;
  const { took, after = '' } = part;
  const end = valueEnd(parsed, part.selector);
  if (end === null || !/^[ \t]+#[^\r\n]*$/.test(took)) return changed(part);
  const stop = lineEnd(text, end);
  const tail = text.slice(end, stop);
  if (tail === after + took) return { text };
  return tail === after ? { text: text.slice(0, stop) + took + text.slice(stop) } : changed(part);
}

function backAbove(parsed: ParsedText, part: TakenPart): GivenBack {
  const { text } = parsed;
  const { took } = part;
  const line = entryLine(parsed, part.selector);
  if (line === null || !/^[ \t]*#[^\r\n]*\r?\n$/.test(took)) return changed(part);
  if (text.slice(0, line).endsWith(took)) return { text };
  return { text: text.slice(0, line) + took + text.slice(line) };
}

function backToValue({ text, ...parsed }: ParsedText, part: TakenPart): GivenBack {
  const found = tryLocate({ text, ...parsed }, part.selector);
  if (found === null || /[\r\n]/.test(part.took)) return changed(part);
  return replace(text, found, part);
}

function backToEntry(parsed: ParsedText, part: TakenPart): GivenBack {
  const found = tryLocate(parsed, part.selector);
  if (!found?.entry || /[\r\n]/.test(part.took)) return changed(part);
  return replace(parsed.text, { start: found.entry.start, end: found.end }, part);
}

function replace(text: string, { start, end }: { start: number; end: number }, part: TakenPart): GivenBack {
  const source = text.slice(start, end);
  if (source === part.took) return { text };
  return source === part.put ? { text: text.slice(0, start) + part.took + text.slice(end) } : changed(part);
}

function backBetween(parsed: ParsedText, part: TakenPart): GivenBack {
  const { text } = parsed;
  const { took, put = '', before = '', after = '' } = part;
  const at = onlyPlace(text, before + put + after);
  if (at !== null) {
    const start = at + before.length;
    return { text: text.slice(0, start) + took + text.slice(start + put.length) };
  }
  if (onlyPlace(text, before + took + after) !== null) return { text };
  // Other lines around it: at the beginning of the same map, where its form is the same.
  const map = tryLocate(parsed, `${part.selector}/annotations`)?.outline;
  const first = map?.kind === 'map' && !map.flow ? map.entries[0] : undefined;
  if (first === undefined || put !== '') return changed(part);
  const start = lineStart(text, first.start);
  const indent = text.slice(start, first.start);
  const fits =
    /^ *$/.test(indent) && took.startsWith(indent) && took[indent.length] !== ' ' && took.endsWith('\n');
  return fits ? { text: text.slice(0, start) + took + text.slice(start) } : changed(part);
}

function onlyPlace(text: string, part: string): number | null {
  const at = part === '' ? -1 : text.indexOf(part);
  return at < 0 || text.includes(part, at + 1) ? null : at;
}

/** What was recorded by hand must not bring anything else along. */
function isAsMeant(part: TakenPart, before: ParsedText, after: ParsedText): boolean {
  switch (part.kind) {
    case 'line-end':
    case 'above':
      return canonicalFile(before) === canonicalFile(after);
    case 'value': {
      const found = tryLocate(after, part.selector);
      return found?.outline.kind === 'scalar' && after.text.slice(found.start, found.end) === part.took;
    }
    case 'entry': {
      const [own, other] = [before, after].map((parsed) => parentOf(parsed, part.selector));
      return own !== undefined && own === other;
    }
    case 'lines':
      return isEqual(withoutUpdater(before), withoutUpdater(after));
    default:
      return false;
  }
}

/** How many entries the map around an entry has. */
function parentOf(parsed: ParsedText, selector: string): number | undefined {
  const parent = tryLocate(parsed, selector.slice(0, selector.lastIndexOf('/')));
  return parent?.outline.kind === 'map' ? parent.outline.entries.length : undefined;
}

/** The documents without the annotations of the image updater. */
function withoutUpdater({ bodies }: ParsedText): unknown[] {
  return bodies.map(({ document }) => {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    if (!isRecord(value)) return value;
    const { metadata } = value;
    if (!isRecord(metadata)) return value;
    const { annotations } = metadata;
    const kept = Object.entries(isRecord(annotations) ? annotations : {}).filter(
      ([key]) => !key.startsWith(PREFIX),
    );
    return { ...value, metadata: { ...metadata, annotations: Object.fromEntries(kept) } };
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
