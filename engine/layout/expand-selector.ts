/** A selector, and the values of its placeholders. */
import type { ParsedText } from '../yaml/core/document.ts';
import { listNames, locate } from '../yaml/core/locate.ts';
import { refusalReason } from '../yaml/core/refusal.ts';
import type { Selector, Step } from '../yaml/core/selector.ts';
import { type Bindings, bindSelector, hasPlaceholder, isCoordinate, matchTemplate } from './pattern.ts';

export interface BoundSelector {
  readonly selector: Selector;
  readonly bindings: Bindings;
}

export const isOpenSelector = (selector: Selector): boolean => selector.some(isOpenStep);

/** Expands a selector with placeholders to all selectors that match, in text order. */
export function expandSelector(parsed: ParsedText, { selector, bindings }: BoundSelector): BoundSelector[] {
  const at = selector.findIndex(isOpenStep);
  const step = selector[at];
  if (!step || 'index' in step || 'enter' in step)
    return mayExist(parsed, selector) ? [{ selector, bindings }] : [];
  const parent = selector.slice(0, at);
  const [key, template] = openText(step);
  // Listed names exist: locating each again would be quadratic in the length of the list.
  const isSure = at === selector.length - 1 && ('key' in step || Object.keys(step.match).length === 1);
  return listNames(parsed, parent, key).flatMap((name) => {
    const learned = matchTemplate(template, name, bindings);
    if (!learned || !(template.includes('/') || isCoordinate(name))) return [];
    const bound = { selector: bindSelector(selector, learned), bindings: learned };
    return isSure ? [bound] : expandSelector(parsed, bound);
  });
}

/** Names at the selector's placeholders that contain a `/`, which a scope name cannot. */
export function namesWithSlash(parsed: ParsedText, { selector, bindings }: BoundSelector): string[] {
  const at = selector.findIndex(isOpenStep);
  const step = selector[at];
  if (!step || 'index' in step || 'enter' in step) return [];
  const [key, template] = openText(step);
  return listNames(parsed, selector.slice(0, at), key).flatMap((name) => {
    const learned = matchTemplate(template, name, bindings);
    if (learned !== null)
      return namesWithSlash(parsed, { selector: bindSelector(selector, learned), bindings: learned });
    // With a prefix, names without it are excluded on purpose.
    return name.includes('/') && !template.includes('/') ? [name] : [];
  });
}

function isOpenStep(step: Step): boolean {
  if ('index' in step || 'enter' in step) return false;
  return 'key' in step ? hasPlaceholder(step.key) : Object.values(step.match).some(hasPlaceholder);
}

/** The key that an open step matches on (null: the keys of a map), and the template of its value. */
function openText(
  step: Exclude<Step, { readonly index: number } | { readonly enter: true }>,
): readonly [string | null, string] {
  if ('key' in step) return [null, step.key];
  return Object.entries(step.match).find(([, value]) => hasPlaceholder(value)) ?? ['', ''];
}

/** True also if the selector is ambiguous: reading it reports that. */
function mayExist(parsed: ParsedText, selector: Selector): boolean {
  if (selector.length === 0) return true;
  try {
    return locate(parsed, selector) !== null;
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return true;
  }
}
