/** Fields that may differ: by the configuration's `drift.ignore`, and by Argo CD's `ignoreDifferences`. */
import { isFields } from '../read.ts';
import { isStep, pointerKeys, type Step } from './path.ts';

export interface IgnoredField {
  /** null: of any kind. */
  readonly kind: string | null;
  readonly keys: readonly Key[];
}

/** null: any key or index. */
type Key = string | null;

/** `/spec/replicas`, `Deployment#/spec/replicas`: entries that the configuration has found to be well-formed. */
export function parseIgnored(text: string): IgnoredField | null {
  const [, kind = null, pointer = ''] = /^(?:([A-Za-z][A-Za-z0-9]*)#)?(\/.*)$/su.exec(text) ?? [];
  const keys = pointerKeys(pointer);
  return keys && { kind, keys: keys.map((key) => (key === '*' ? null : key)) };
}

/** A pointer as Argo CD has it: `*` is a key like any other. */
export function parsePointer(pointer: string): IgnoredField | null {
  const keys = pointerKeys(pointer);
  return keys && { kind: null, keys };
}

const PART =
  /\.?\[\]|\.?\[(\d{1,6})\]|\.?\["((?:[^"\\]|\\["\\])*)"\]|\.([A-Za-z_]\w*)|\."((?:[^"\\]|\\["\\])*)"/uy;

/** A path of jq that only names keys and items: `.spec.template.spec.containers[].image`. null for any other expression. */
export function parseJqPath(expression: string): IgnoredField | null {
  const text = expression.trim();
  const keys: Key[] = [];
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const part = PART.exec(text);
    if (part === null) return null;
    const [, index, bracketed, name, quoted] = part;
    const literal = bracketed ?? quoted;
    keys.push(index ?? name ?? (literal === undefined ? null : literal.replace(/\\(["\\])/g, '$1')));
  }
  return keys.length === 0 || keys.length > 50 ? null : { kind: null, keys };
}

/** Whether a field may differ, and everything below it. */
export function isIgnored(fields: readonly IgnoredField[], kind: string, steps: readonly Step[]): boolean {
  return fields.some(
    (field) =>
      (field.kind === null || field.kind === kind) &&
      field.keys.length <= steps.length &&
      field.keys.every((key, at) => {
        const step = steps[at];
        return step !== undefined && (key === null || isStep(key, step));
      }),
  );
}

/** Whether a value that is missing as a whole holds something that may not be missing. */
export function hasUnignored(
  fields: readonly IgnoredField[],
  { kind, steps, value }: { readonly kind: string; readonly steps: readonly Step[]; readonly value: unknown },
): boolean {
  if (isIgnored(fields, kind, steps)) return false;
  if (!fields.some(({ keys }) => keys.length > steps.length)) return true;
  const inside = childrenOf(value);
  if (inside.length === 0) return true;
  return inside.some(([step, each]) => hasUnignored(fields, { kind, steps: [...steps, step], value: each }));
}

function childrenOf(value: unknown): readonly (readonly [Step, unknown])[] {
  if (Array.isArray(value)) return value.map((each, index) => [{ index }, each] as const);
  return isFields(value) ? Object.entries(value) : [];
}
