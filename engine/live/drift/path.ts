/** Where a field of an object is: keys, and items of lists with what identifies them. */

import { identified, itemKeys } from '../declared/lists.ts';
import { valueAt } from '../read.ts';

/** A key of a map, or an item of a list. */
export type Step = string | ItemStep;

export interface ItemStep {
  /** In the manifest. */
  readonly index: number;
  /** What tells it from the others; a cluster has it at another place. */
  readonly identity?: { readonly names: readonly string[]; readonly text: string };
}

/** A JSON pointer (RFC 6901), with `[name=app]` for items of lists with an identity. */
export function formatPath(steps: readonly Step[]): string {
  return steps.map((step) => `/${stepText(step)}`).join('');
}

function stepText(step: Step): string {
  if (typeof step === 'string') return escaped(step);
  return escaped(step.identity === undefined ? String(step.index) : `[${step.identity.text}]`);
}

const escaped = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1');
const unescaped = (key: string) => key.replaceAll('~1', '/').replaceAll('~0', '~');

/** The keys of a pointer; null where it is none. */
export function pointerKeys(pointer: string): readonly string[] | null {
  return pointer.startsWith('/') ? pointer.slice(1).split('/').map(unescaped) : null;
}

/** Whether a key of a pointer is this step: an item is named by its place, or as paths are printed. */
export function isStep(key: string, step: Step): boolean {
  if (typeof step === 'string') return key === step;
  return key === String(step.index) || (step.identity !== undefined && key === `[${step.identity.text}]`);
}

/** The steps of a path as `formatPath` writes it, in the object that it was found in. */
export function parsePath(path: string, object: unknown): readonly Step[] {
  const kind = valueAt(object, 'kind');
  const keys: string[] = [];
  let at = object;
  return (pointerKeys(path) ?? []).map((key): Step => {
    if (!Array.isArray(at)) {
      keys.push(key);
      at = valueAt(at, key);
      return key;
    }
    const items: readonly unknown[] = at;
    const names = key.startsWith('[') ? itemKeys(typeof kind === 'string' ? kind : '', keys) : null;
    keys.push('*');
    const identity = names === null ? undefined : { names, text: key.slice(1, -1) };
    const step: ItemStep = { index: Number(key), ...(identity && { identity }) };
    const index = itemAt(items, step);
    at = items[index];
    return { ...step, index };
  });
}

/** Where an item is in a list; -1: nowhere. */
export function itemAt(items: readonly unknown[], { index, identity }: ItemStep): number {
  if (identity === undefined) return index < items.length ? index : -1;
  const known = identified(items, identity.names);
  return known === null ? -1 : [...known.keys()].indexOf(identity.text);
}
