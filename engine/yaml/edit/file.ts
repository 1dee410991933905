import { changeValue } from './change.ts';
import { type Change, type EditContext, slotOf } from './context.ts';
import { cutDocument, insertDocument } from './document.ts';
import type { ParsedText } from '../core/document.ts';
import type { DocumentBody } from '../core/outline.ts';
import { documentNames, matchOf } from '../core/identity.ts';
import { refuse } from '../core/refusal.ts';
import { formatSelector, type Selector } from '../core/selector.ts';
import { positionOf } from '../core/text.ts';

/** Changes every document of the base into that of the target; adds and removes documents that are identified by name. */
export function changeFile(context: EditContext): Change {
  const { pairs, removed, added } = matchBodies(context.base, context.target);
  const changes: Change[] = pairs.map(({ own, other, selector }) =>
    changeValue(context, rootSlot(context.base, own), rootSlot(context.target, other), selector),
  );
  return {
    splices: [
      ...changes.flatMap(({ splices }) => splices),
      ...removed.map(({ body }) => cutDocument(context, body)),
      ...added.map(({ body }) => insertDocument(context, body)),
    ],
    operations: [
      ...changes.flatMap(({ operations }) => operations),
      ...removed.map(({ selector }) => ({ op: 'remove' as const, selector: formatSelector(selector) })),
      ...added.map(({ selector }) => ({ op: 'add' as const, selector: formatSelector(selector) })),
    ],
  };
}

const rootSlot = (parsed: ParsedText, { root }: DocumentBody) =>
  slotOf(parsed, { entry: null, outline: root, parent: null });

interface NamedDocument {
  readonly body: DocumentBody;
  readonly selector: Selector;
}

interface DocumentMatch {
  readonly pairs: readonly {
    readonly own: DocumentBody;
    readonly other: DocumentBody;
    readonly selector: Selector;
  }[];
  readonly removed: readonly NamedDocument[];
  readonly added: readonly NamedDocument[];
}

function matchBodies(base: ParsedText, target: ParsedText): DocumentMatch {
  const [count, before] = [base.bodies.length, target.bodies.length];
  const [one, other] = [base.bodies[0], target.bodies[0]];
  if (count === 1 && before === 1 && one && other)
    return { pairs: [{ own: one, other, selector: [] }], removed: [], added: [] };
  const lists = [base, target].map((parsed) => ({ parsed, items: parsed.bodies.map(({ root }) => root) }));
  const names = documentNames(lists);
  if (!names && count !== before)
    refuse(
      'document',
      `The file has ${count} documents and had ${before}, and kind and name do not identify them.`,
    );
  const named = (parsed: ParsedText) =>
    parsed.bodies.map((body, index): NamedDocument => {
      const match = names && matchOf(parsed, body.root, names);
      return { body, selector: [match ? { match } : { index }] };
    });
  return pairUp(base, named(base), named(target));
}

function pairUp(
  base: ParsedText,
  own: readonly NamedDocument[],
  old: readonly NamedDocument[],
): DocumentMatch {
  const idOf = ({ selector }: NamedDocument) => formatSelector(selector);
  const there = new Map(old.map((named) => [idOf(named), named.body]));
  const pairs = own.flatMap(({ body, selector }) => {
    const other = there.get(formatSelector(selector));
    return other ? [{ own: body, other, selector }] : [];
  });
  let last = -1;
  for (const { own: body, other, selector } of pairs) {
    if (other.index < last) {
      const place = positionOf(base.text, body.root.start);
      refuse('document', `The order of the documents has changed (${formatSelector(selector)} at ${place}).`);
    }
    last = other.index;
  }
  if (pairs.length === 0) refuse('document', 'The file has none of its former documents.');
  const kept = new Set(pairs.map(({ selector }) => formatSelector(selector)));
  const gone = (named: NamedDocument) => !kept.has(idOf(named));
  return { pairs, removed: own.filter(gone), added: old.filter(gone) };
}
