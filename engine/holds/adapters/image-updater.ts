/** Argo CD Image Updater: annotations of an Application that say what it moves (argocd-image-updater.readthedocs.io). All of them are removed. */
import type { ParsedText } from '../../yaml/core/document.ts';
import { locate } from '../../yaml/core/locate.ts';
import type { Outline } from '../../yaml/core/outline.ts';
import { formatSelector, type Selector } from '../../yaml/core/selector.ts';
import { lineStart, nextLine, startsLine } from '../../yaml/core/text.ts';
import type { Adapter, Taking } from './adapter.ts';
import { entryAt } from './git-source.ts';

export const PREFIX = 'argocd-image-updater.argoproj.io/';

export const imageUpdater: Adapter = {
  name: 'argocd-image-updater',
  isEvidence: true,
  looksAround: true,
  mayFind: (text) => text.includes(PREFIX),
  find({ parsed }) {
    if (parsed.format !== 'yaml' && parsed.format !== 'json') return null;
    for (const [index, { root }] of parsed.bodies.entries()) {
      const annotations = entryAt(root, ['metadata', 'annotations'])?.value;
      if (annotations?.kind !== 'map') continue;
      const range = rangeOfRun(parsed.text, annotations);
      if (range === null) continue;
      const at: Selector = parsed.bodies.length > 1 ? [{ index }] : [];
      return takingOf(parsed, range, selectorOf(parsed, at));
    }
    return null;
  },
};

function selectorOf(parsed: ParsedText, at: Selector): string {
  const found = locate(parsed, [...at, { key: 'metadata' }]);
  return found ? formatSelector(found.selector) : '';
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The first run of such annotations, one behind the other: whole lines, or with the commas of a flow map. */
function rangeOfRun(text: string, map: Outline): Range | null {
  const isOne = (index: number) => map.entries[index]?.key?.startsWith(PREFIX) === true;
  const first = map.entries.findIndex((_, index) => isOne(index));
  if (first < 0) return null;
  let last = first;
  while (isOne(last + 1)) last += 1;
  const [from, to] = [map.entries[first], map.entries[last]];
  if (!from || !to) return null;
  const [previous, next] = [map.entries[first - 1], map.entries[last + 1]];
  if (map.flow) {
    if (next) return { start: from.start, end: next.start, text: '' };
    const inner = { start: map.start + 1, end: map.end - 1, text: '' };
    return previous ? { ...inner, start: previous.value.end } : inner;
  }
  if (!startsLine(text, from.start)) return null;
  const end = nextLine(text, to.value.end);
  if (previous || next) return { start: lineStart(text, from.start), end, text: '' };
  // The map itself stays, and says that it is empty, in the place of its lines.
  const indent = text.slice(lineStart(text, from.start), from.start);
  const eol = /\r?\n$/.exec(text.slice(0, end))?.[0] ?? '';
  return { start: lineStart(text, from.start), end, text: `${indent}{}${eol}` };
}

/** The text around it, as long as it takes to find the place again. */
function takingOf({ text }: ParsedText, { start, end, text: put }: Range, selector: string): Taking {
  const now = text.slice(0, start) + put + text.slice(end);
  const tail = start + put.length;
  let [from, to] = [lineStart(text, Math.max(0, start - 1)), nextLine(now, tail)];
  const count = () => now.split(now.slice(from, to)).length - 1;
  while (count() > 1 && (from > 0 || to < now.length)) {
    from = from > 0 ? lineStart(now, from - 1) : 0;
    to = nextLine(now, to);
  }
  const part = {
    kind: 'lines' as const,
    selector,
    put,
    before: now.slice(from, start),
    after: now.slice(tail, to),
  };
  return { start, end, text: put, part };
}
