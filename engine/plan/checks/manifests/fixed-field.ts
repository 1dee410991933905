import picomatch from 'picomatch';
import { type FileChange, quotePath } from '../../../model/index.ts';
import { parseFixed } from '../../../layout/configuration/text-rules.ts';
import { isSecretKey } from '../../../yaml/mask/mask.ts';
import { formatSelector, type Selector } from '../../../yaml/core/selector.ts';
import type { CheckInput, RawFinding } from '../../check-input.ts';
import { isPlainChange } from '../../documents/plain-change.ts';
import { type Fields, isFields, isSame, isStructured, textAt, valueAt } from '../../documents/documents.ts';

/** FIXED_FIELD: a field that says what a thing is differs between now and the target. */
export async function checkFixedFields(input: CheckInput): Promise<RawFinding[]> {
  const fixed = input.snapshot.layout.config.checks.fixed.map(compile);
  const findings: RawFinding[] = [];
  for (const file of input.plan.files) {
    const rules = fixed.filter(({ matches }) => matches(file.path));
    if (file.before === null || file.after === null || rules.length === 0 || !isStructured(file.path))
      continue;
    findings.push(...(await checkFile(input, file, rules)));
  }
  return findings;
}

interface FixedField {
  readonly matches: (path: string) => boolean;
  readonly selector: Selector;
  /** Of these keys, which there are is fixed, and not what they hold. */
  readonly oneOf: readonly string[];
  /** Keys without which the field cannot be on a line. */
  readonly keys: readonly string[];
}

function compile(text: string): FixedField {
  const [glob = '', pointer = ''] = text.split(/#(.*)/su);
  const { selector, oneOf } = parseFixed(pointer);
  const last = selector.at(-1);
  return {
    matches: glob === '' ? () => true : picomatch(glob, { dot: true }),
    selector,
    oneOf,
    keys: oneOf.length > 0 ? oneOf : last !== undefined && 'key' in last ? [last.key] : [],
  };
}

async function checkFile(
  { documents }: CheckInput,
  file: FileChange,
  rules: readonly FixedField[],
): Promise<RawFinding[]> {
  const { path } = file;
  const [old, next] = [await documents.text(file.before), await documents.text(file.after)];
  const open = rules.filter(({ keys }) => old === null || next === null || mayDiffer(old, next, keys));
  if (open.length === 0) return [];
  const [before, after] = [await documents.read(path, file.before), await documents.read(path, file.after)];
  if (before === null || after === null) return [];
  const findings = pairsOf(before, after).flatMap(([now, then]) =>
    open.flatMap((rule): RawFinding[] => {
      const difference = differenceOf(rule, now, then);
      if (difference === null) return [];
      const name = textAt(then, 'metadata', 'name') ?? textAt(now, 'metadata', 'name');
      const whose = name === undefined ? '' : ` of ${quotePath(name)}`;
      const message = `${quotePath(path)}#${difference.field}${whose} ${difference.how}, and is fixed.`;
      return [{ code: 'FIXED_FIELD', message, path }];
    }),
  );
  return findings;
}

/** Two texts with the same lines about a key hold the same under it, where each value ends on its line and none is an alias. */
function mayDiffer(one: string, other: string, keys: readonly string[]): boolean {
  if (keys.length === 0) return true;
  const [lines, others] = [linesWith(one, keys), linesWith(other, keys)];
  if (lines.join('\n') !== others.join('\n')) return true;
  // The value may be below, or on the lines that follow.
  if (lines.some((line) => /[:|>,[{+-]$/.test(line))) return true;
  return !isPlainChange(one, other) && /[*&]\S|<<|\\/.test(one + other);
}

const linesWith = (text: string, keys: readonly string[]) =>
  text
    .split('\n')
    .filter((line) => keys.some((key) => line.includes(key)))
    .map((line) => line.replace(/\s#.*|\s+$/u, ''));

/** Documents that are the same thing: by kind and name, else by name, else by place. */
function pairsOf(before: readonly Fields[], after: readonly Fields[]): [Fields, Fields][] {
  const [now, then] = [before[0], after[0]];
  if (before.length === 1 && after.length === 1 && now && then) return [[now, then]];
  const pairs: [Fields, Fields][] = [];
  const left = new Set(before);
  const open = new Set(after);
  const isNamed = (value: Fields) => textAt(value, 'metadata', 'name') !== undefined;
  for (const keyOf of [fullName, shortName])
    for (const wanted of [...open].filter(isNamed)) {
      const found = [...left].find((value) => isNamed(value) && keyOf(value) === keyOf(wanted));
      if (found === undefined) continue;
      pairs.push([found, wanted]);
      left.delete(found);
      open.delete(wanted);
    }
  if (before.length === after.length)
    for (const [index, value] of before.entries()) {
      const other = after[index];
      if (other && left.has(value) && open.has(other) && !isNamed(value) && !isNamed(other))
        pairs.push([value, other]);
    }
  return pairs;
}

const shortName = (value: Fields) =>
  JSON.stringify([textAt(value, 'metadata', 'namespace'), textAt(value, 'metadata', 'name')]);
const fullName = (value: Fields) => JSON.stringify([textAt(value, 'kind'), shortName(value)]);

function differenceOf(
  { selector, oneOf }: FixedField,
  now: Fields,
  then: Fields,
): { readonly field: string; readonly how: string } | null {
  const [from, to] = [find(now, selector), find(then, selector)];
  const field = formatSelector(selector);
  if (oneOf.length === 0) {
    // What is missing now comes back; nothing else becomes of what is there.
    if (from === undefined || isSame(from, to)) return null;
    const isSecret = selector.some((step) => 'key' in step && isSecretKey(step.key));
    const shown = isSecret ? null : [shortText(to), shortText(from)];
    return {
      field,
      how: shown?.every(Boolean)
        ? `was ${shown[0]} at the target and is ${shown[1]} now`
        : 'differs from the target',
    };
  }
  const has = (value: unknown) => oneOf.filter((key) => isFields(value) && Object.hasOwn(value, key));
  const [keys, others] = [has(from), has(to)];
  // Where there is none of them, it is something else.
  if (keys.length === 0 || others.length === 0 || isSame(keys, others)) return null;
  return { field, how: `had ${others.join(', ')} at the target and has ${keys.join(', ')} now` };
}

/** A plain word, as names of kinds and profiles are; null for what may be more. */
function shortText(value: unknown): string | null {
  if (value === undefined) return 'absent';
  return typeof value === 'string' && /^[A-Za-z][\w./-]{0,40}$/.test(value) ? value : null;
}

function find(value: unknown, selector: Selector): unknown {
  let found = value;
  for (const step of selector) {
    if ('key' in step) found = valueAt(found, step.key);
    else if ('index' in step) found = valueAt(found, step.index);
    else if ('match' in step) {
      const wanted = Object.entries(step.match);
      const isItem = (item: unknown) =>
        wanted.every(([key, text]) => String(valueAt(item, ...key.split('.'))) === text);
      found = Array.isArray(found) ? found.find(isItem) : undefined;
    } else return undefined;
  }
  return found;
}
