/** Hides the values of secret variables in what is shown of rendered manifests, under whatever key they stand there. */
import { type FileChange, type FileDifference, isFailure, type TreeView } from '../../model/index.ts';
import { differenceOfFile } from '../../plan/changes.ts';
import { type Snapshot } from '../../snapshot/snapshot.ts';
import { decode } from '../../yaml/core/text.ts';
import { isFile } from '../../snapshot/view.ts';
import { maskText } from '../../yaml/mask/mask.ts';
import { secretValues } from '../../yaml/mask/secret-values.ts';

/** Stands for a secret while differences are found: `***` is no YAML. Numbers tell two secrets apart. */
const HIDDEN = 'hidden-by-backtrail-';
const MARKS = new RegExp(`${HIDDEN}\\d+`, 'g');

/** The values of secret variables in files, longest first. */
export async function valuesToHide(files: readonly { view: TreeView; path: string }[]): Promise<string[]> {
  const found = new Set<string>();
  for (const { view, path } of files) {
    const bytes = await readSmall(view, path);
    const text = bytes && decode(bytes);
    if (text) for (const value of secretValues(text)) found.add(value);
  }
  return [...found].sort((a, b) => b.length - a.length);
}

/**
 * The difference of a rendered output without the given values. They are hidden before the sides are compared, because what is
 * shown of a long value is cut, and a half of a secret would not be found. Secrets by their keys are hidden first, so that a
 * value that is also a key (`password`, `Secret`) does not take their mark away.
 */
export async function differenceWithout(
  { snapshot, base }: { snapshot: Snapshot; base: TreeView },
  file: FileChange,
  values: readonly string[],
): Promise<FileDifference> {
  if (values.length === 0) return differenceOfFile(snapshot, file);
  const numbers = new Map<string, number>();
  const mark = (secret: string) => {
    const number = numbers.get(secret) ?? numbers.size + 1;
    numbers.set(secret, number);
    return `${HIDDEN}${number}`;
  };
  const pattern = new RegExp([MARKS.source, ...values.map(escape)].join('|'), 'g');
  const hide = (bytes: Uint8Array) => {
    const text = decode(bytes);
    if (text === null) return bytes;
    const masked = maskText(text, file.path, mark);
    const hidden = masked.replace(pattern, (text) => (text.startsWith(HIDDEN) ? text : mark(text)));
    return new TextEncoder().encode(hidden);
  };
  const before = file.before && isFile(file.before.mode) ? await readSmall(base, file.path) : null;
  const sides = {
    before: file.before && { ...file.before, ...(before && { content: hide(before) }) },
    after: file.after && { ...file.after, ...(file.after.content && { content: hide(file.after.content) }) },
  };
  return withStars(await differenceOfFile(snapshot, { path: file.path, ...sides }));
}

/** null where there is no file, or one over the reader's limit, of which nothing is shown. */
async function readSmall(view: TreeView, path: string): Promise<Uint8Array | null> {
  try {
    return await view.read(path);
  } catch (error) {
    if (isFailure(error) && error.code === 'FILE_TOO_LARGE') return null;
    throw error;
  }
}

const escape = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);

/** Also for the half of a mark that the cut of a long value leaves at either end. */
const stars = (text: string) =>
  text
    .replace(MARKS, '***')
    .replace(/hidden-by[a-z-]*(?=…$)/, '***')
    .replace(/^…[a-z-]*backtrail-\d+/, '…***');

function withStars(difference: FileDifference): FileDifference {
  const { fields, diff } = difference;
  return {
    ...difference,
    ...(fields && {
      fields: fields.map((field) => ({
        ...field,
        selector: stars(field.selector),
        ...(field.before !== undefined && { before: stars(field.before) }),
        ...(field.after !== undefined && { after: stars(field.after) }),
        ...(field.diff !== undefined && { diff: stars(field.diff) }),
      })),
    }),
    ...(diff !== undefined && { diff: stars(diff) }),
  };
}
