import { changeValue } from './edit-change.ts';
import { type Change, type EditContext, slotOf } from './edit-context.ts';
import type { Body, ParsedText } from './document.ts';
import { documentNames, matchOf } from './identity.ts';
import { refuse } from './refusal.ts';
import type { Selector } from './selector.ts';

/** Makes every document of the base what it is in the target; both must hold the same documents. */
export function changeFile(context: EditContext): Change {
  const pairs = pairDocuments(context.base, context.target);
  const changes = pairs.map(({ own, other, selector }) =>
    changeValue(context, rootSlot(context.base, own), rootSlot(context.target, other), selector),
  );
  return {
    splices: changes.flatMap(({ splices }) => splices),
    operations: changes.flatMap(({ operations }) => operations),
  };
}

const rootSlot = (parsed: ParsedText, { root }: Body) =>
  slotOf(parsed, { entry: null, outline: root, parent: null });

interface DocumentPair {
  readonly own: Body;
  readonly other: Body;
  readonly selector: Selector;
}

function pairDocuments(base: ParsedText, target: ParsedText): DocumentPair[] {
  const count = base.bodies.length;
  if (count !== target.bodies.length)
    refuse('document', `The file holds ${count} documents and held ${target.bodies.length}.`);
  const lists = [base, target].map((parsed) => ({ parsed, items: parsed.bodies.map(({ root }) => root) }));
  const names = count === 1 ? null : documentNames(lists);
  const idOf = (parsed: ParsedText, { root }: Body, index: number) =>
    names ? JSON.stringify(matchOf(parsed, root, names)) : String(index);
  const old = new Map(target.bodies.map((body, index) => [idOf(target, body, index), body]));
  let last = -1;
  return base.bodies.map((own, index) => {
    const other = old.get(idOf(base, own, index));
    if (!other) refuse('document', 'The file holds other documents than it held.');
    if (other.index < last) refuse('document', 'The documents of the file stand in another order now.');
    last = other.index;
    const match = names && matchOf(base, own.root, names);
    return { own, other, selector: count === 1 ? [] : [match ? { match } : { index }] };
  });
}
