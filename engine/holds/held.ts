/** The fields that a hold holds: what a rollback changes, by the values that it leaves. */
import type { HeldField } from '../model/index.ts';
import { parseFileLoosely } from '../yaml/core/parse-file.ts';
import { type ParsedText, parseText } from '../yaml/core/document.ts';
import { locate } from '../yaml/core/locate.ts';
import { isWithin, parseSelector, type Selector } from '../yaml/core/selector.ts';
import { canonicalSource } from '../yaml/core/source.ts';
import { diffFields, isByFields } from '../yaml/diff/diff.ts';
import { MASK } from '../yaml/mask/secrets.ts';

/** A file that a rollback changes. Texts are null for what has none: a file that does not exist, a binary one, a link. */
export interface ChangedText {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly exists: { readonly before: boolean; readonly after: boolean };
  /** Object id afterwards. */
  readonly id: string | null;
  readonly unmasked: readonly Selector[];
}

/** More fields than this are held as a whole file. */
const MOST = 100;

export interface ChangedFields {
  /** Canonical selectors of what changes, leaf by leaf; null: the file as a whole. */
  readonly selectors: readonly string[] | null;
  readonly secrets: ReadonlySet<string>;
}

/** What changes in a file. A file that comes or goes, or that has no fields, changes as a whole. */
export function changedFields({ path, before, after, exists, unmasked }: ChangedText): ChangedFields {
  const none = { selectors: null, secrets: new Set<string>() };
  if (!exists.before || !exists.after || before === null || after === null) return none;
  // A text that happens to be YAML: what is secret in it is masked by the rules for its lines, and not by field.
  if (!isByFields({ path, before, after })) return none;
  const changes = diffFields({ path, unmasked, before, after }, { lines: false });
  if (changes === null || changes.length > MOST) return none;
  const secrets = changes.filter((change) =>
    [change.before, change.after].some((text) => text?.includes(MASK)),
  );
  return {
    selectors: changes.map(({ selector }) => selector),
    secrets: new Set(secrets.map(({ selector }) => selector)),
  };
}

/** The held fields of a file, with the values that `text` gives them. */
export function heldFields(file: ChangedText, changed: ChangedFields, text: string | null): HeldField[] {
  const { path } = file;
  const whole = (): HeldField[] => [{ path, selector: '', held: file.id }];
  if (changed.selectors === null || text === null) return whole();
  const fields: HeldField[] = [];
  const valueOf = valuesIn(path, text);
  for (const selector of changed.selectors) {
    const held = valueOf(selector);
    // What cannot be told apart is held with all that is around it.
    if (held === undefined) return whole();
    const isSecret = changed.secrets.has(selector) && held !== null;
    fields.push({ path, selector, held: isSecret ? MASK : held, ...(isSecret && { secret: true as const }) });
  }
  return fields;
}

/** The canonical source of a field; null where it does not exist, undefined where that cannot be said. */
export type Values = (selector: string) => string | null | undefined;

export function valuesIn(path: string, text: string): Values {
  const parsed = tryParse(path, text);
  return (selector) => {
    if (parsed === null) return undefined;
    try {
      const found = locate(parsed, parseSelector(selector));
      return found && canonicalSource(found.parsed, found.outline);
    } catch {
      return undefined;
    }
  };
}

export function tryParse(path: string, text: string): ParsedText | null {
  try {
    return parseFileLoosely(path, text);
  } catch {
    return null;
  }
}

/** Whether two sources are the same value: quotes alone make no difference. */
export function isSameValue(one: string | null | undefined, other: string | null | undefined): boolean {
  if (one === other) return one !== undefined;
  if (typeof one !== 'string' || typeof other !== 'string') return false;
  const texts = [textOf(one), textOf(other)];
  return texts[0] !== null && texts[0] === texts[1];
}

/** The text of a string, however it is written; null for anything else. */
function textOf(source: string): string | null {
  try {
    const node = parseText(source).bodies[0]?.root.node;
    const value = node && 'value' in node ? node.value : null;
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

/** Whether one is the other, or within it, or holds it. */
export function overlaps(
  one: Pick<HeldField, 'path' | 'selector'>,
  other: Pick<HeldField, 'path' | 'selector'>,
): boolean {
  if (one.path !== other.path) return false;
  const [a, b] = [parseSelector(one.selector), parseSelector(other.selector)];
  return isWithin(a, b) || isWithin(b, a);
}

export const fieldName = ({ path, selector }: Pick<HeldField, 'path' | 'selector'>) =>
  selector === '' ? path : `${path}#${selector}`;

/** All leaves of a text, for adapters of a file that is held as a whole. */
export function leavesOf(path: string, text: string): string[] {
  const leaves = diffFields({ path, before: null, after: text }, { lines: false }) ?? [];
  return leaves.map(({ selector }) => selector);
}
