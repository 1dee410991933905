/** What the placeholders of a selector stand for in a text. */
import type { ParsedText } from '../yaml/core/document.ts';
import { listNames, locate } from '../yaml/core/locate.ts';
import { refusalReason } from '../yaml/core/refusal.ts';
import type { Selector, Step } from '../yaml/core/selector.ts';
import { type Bindings, bindSelector, hasPlaceholder, isCoordinate, matchTemplate } from './pattern.ts';

export interface BoundSelector {
  readonly selector: Selector;
  readonly bindings: Bindings;
}

export const isOpenSelector = (selector: Selector): boolean => selector.some(isOpen);

/** The bound selectors that a selector with placeholders stands for, in the order of the text; only such as are there. */
export function expandSelector(parsed: ParsedText, { selector, bindings }: BoundSelector): BoundSelector[] {
  const at = selector.findIndex(isOpen);
  const step = selector[at];
  if (!step || 'index' in step || 'enter' in step)
    return isThere(parsed, selector) ? [{ selector, bindings }] : [];
  const parent = selector.slice(0, at);
  const [key, template] = openText(step);
  // The names that are listed need not be looked for again: a list of thousands of items would be searched once for each.
  const isSure = at === selector.length - 1 && ('key' in step || Object.keys(step.match).length === 1);
  return listNames(parsed, parent, key).flatMap((name) => {
    const learned = matchTemplate(template, name, bindings);
    if (!learned || !(template.includes('/') || isCoordinate(name))) return [];
    const bound = { selector: bindSelector(selector, learned), bindings: learned };
    return isSure ? [bound] : expandSelector(parsed, bound);
  });
}

/** Values where the selector looks for a name, and finds one with a `/`, which no name of a scope can have. */
export function namesWithSlash(parsed: ParsedText, { selector, bindings }: BoundSelector): string[] {
  const at = selector.findIndex(isOpen);
  const step = selector[at];
  if (!step || 'index' in step || 'enter' in step) return [];
  const [key, template] = openText(step);
  return listNames(parsed, selector.slice(0, at), key).flatMap((name) => {
    const learned = matchTemplate(template, name, bindings);
    if (learned !== null)
      return namesWithSlash(parsed, { selector: bindSelector(selector, learned), bindings: learned });
    // Beside a prefix, names of elsewhere are left out on purpose.
    return name.includes('/') && !template.includes('/') ? [name] : [];
  });
}

function isOpen(step: Step): boolean {
  if ('index' in step || 'enter' in step) return false;
  return 'key' in step ? hasPlaceholder(step.key) : Object.values(step.match).some(hasPlaceholder);
}

/** The key that an open step asks for (null: the names of a map), and what its value looks like. */
function openText(
  step: Exclude<Step, { readonly index: number } | { readonly enter: true }>,
): readonly [string | null, string] {
  if ('key' in step) return [null, step.key];
  return Object.entries(step.match).find(([, value]) => hasPlaceholder(value)) ?? ['', ''];
}

/** Where the way is not certain, something is there: what it is will be said when it is read. */
function isThere(parsed: ParsedText, selector: Selector): boolean {
  if (selector.length === 0) return true;
  try {
    return locate(parsed, selector) !== null;
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return true;
  }
}
