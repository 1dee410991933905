/** What became of the fields of a hold in a tree. */
import { type HeldField, type Hold, isFailure, type TreeView } from '../model/index.ts';
import { diffFields } from '../yaml/diff/diff.ts';
import { MASK } from '../yaml/mask/secrets.ts';
import type { Selector } from '../yaml/core/selector.ts';
import { decode } from '../yaml/core/text.ts';
import { isSameValue, type Values, valuesIn } from './held.ts';

export interface FieldState {
  /** The source of the value as it may be shown; the object id of a whole file; null: it does not exist. */
  readonly now: string | null;
  /** It is not what is held. */
  readonly broken: boolean;
}

export interface StateQuery {
  readonly view: TreeView;
  /** The tree at a hold's target, where secrets are compared with; null where there is none. */
  readonly viewAt: (commit: string) => Promise<TreeView | null>;
  readonly unmasked: (path: string) => readonly Selector[];
}

/** Looks at each file once. */
export function stateReader({
  view,
  viewAt,
  unmasked,
}: StateQuery): (hold: Hold, field: HeldField) => Promise<FieldState> {
  const files = new Map<string, Promise<FileState>>();
  const fileOf = (key: string, of: TreeView, path: string) => {
    const known = files.get(key) ?? readState(of, path, unmasked(path));
    files.set(key, known);
    return known;
  };
  return async ({ target }, { path, selector, held, secret }) => {
    const file = await fileOf(path, view, path);
    if (selector === '') return { now: file.id, broken: file.id !== held };
    if (file.values === null) return { now: null, broken: file.id !== null || held !== null };
    const value = file.values(selector);
    const now = value === undefined || value === null ? null : file.shown(selector, value);
    if (!secret) return { now, broken: !isSameValue(value, held) };
    const then = await viewAt(target);
    const was = then && (await fileOf(`${target} ${path}`, then, path));
    return { now: now === null ? null : MASK, broken: !isSameValue(value, was?.values?.(selector)) };
  };
}

interface FileState {
  readonly id: string | null;
  /** null for what has no text. */
  readonly values: Values | null;
  readonly shown: (selector: string, value: string) => string;
}

async function readState(view: TreeView, path: string, unmasked: readonly Selector[]): Promise<FileState> {
  const entry = await view.entry(path);
  const text = entry === null ? null : await textAt(view, path);
  let masked: ReadonlySet<string> | null = null;
  return {
    id: entry?.id ?? null,
    values: text === null ? null : valuesIn(path, text),
    shown: (selector, value) => {
      masked ??= maskedIn(path, text ?? '', unmasked);
      return masked.has(selector) ? MASK : value;
    },
  };
}

async function textAt(view: TreeView, path: string): Promise<string | null> {
  try {
    const bytes = await view.read(path);
    return bytes && decode(bytes);
  } catch (error) {
    if (isFailure(error) && error.code === 'FILE_TOO_LARGE') return null;
    throw error;
  }
}

function maskedIn(path: string, text: string, unmasked: readonly Selector[]): ReadonlySet<string> {
  const leaves = diffFields({ path, unmasked, before: null, after: text }, { lines: false }) ?? [];
  return new Set(leaves.filter(({ after }) => after?.includes(MASK)).map(({ selector }) => selector));
}
