/** Masks the values of secret variables in rendered manifests, under any key. */
import { type FileChange, type FileDifference, isFailure, type TreeView } from '../../model/index.ts';
import { differenceOfFile } from '../../plan/changes.ts';
import { type Snapshot } from '../../snapshot/snapshot.ts';
import { decode } from '../../yaml/core/text.ts';
import { isFile } from '../../snapshot/view.ts';
import { maskText } from '../../yaml/mask/mask.ts';
import { secretValues } from '../../yaml/mask/secret-values.ts';

/** Placeholder for a secret while differences are computed (`***` does not parse); numbered, to tell secrets apart. */
const MASK_WORD = 'hidden-by-backtrail-';
const MASK_WORDS = new RegExp(`${MASK_WORD}\\d+`, 'g');

/** The values of secret variables in files, longest first. */
export async function secretVariableValues(
  files: readonly { view: TreeView; path: string }[],
): Promise<string[]> {
  const found = new Set<string>();
  for (const { view, path } of files) {
    const bytes = await readSmall(view, path);
    const text = bytes && decode(bytes);
    if (text) for (const value of secretValues(text)) found.add(value);
  }
  return [...found].sort((a, b) => b.length - a.length);
}

/**
 * The masked difference of a rendered output. Values are masked before comparing, because shortening a long value could leave half of a
 * secret unmasked. Values of secret keys are masked first, so that a value that equals a key (`password`, `Secret`) does not disturb
 * the detection.
 */
export async function maskedDifference(
  { snapshot, base }: { snapshot: Snapshot; base: TreeView },
  file: FileChange,
  values: readonly string[],
): Promise<FileDifference> {
  if (values.length === 0) return differenceOfFile(snapshot, file);
  const numbers = new Map<string, number>();
  const mark = (secret: string) => {
    const number = numbers.get(secret) ?? numbers.size + 1;
    numbers.set(secret, number);
    return `${MASK_WORD}${number}`;
  };
  const pattern = new RegExp([MASK_WORDS.source, ...values.map(escape)].join('|'), 'g');
  const hide = (bytes: Uint8Array) => {
    const text = decode(bytes);
    if (text === null) return bytes;
    const masked = maskText(text, file.path, mark);
    const hidden = masked.replace(pattern, (text) => (text.startsWith(MASK_WORD) ? text : mark(text)));
    return new TextEncoder().encode(hidden);
  };
  const before = file.before && isFile(file.before.mode) ? await readSmall(base, file.path) : null;
  const sides = {
    before: file.before && { ...file.before, ...(before && { content: hide(before) }) },
    after: file.after && { ...file.after, ...(file.after.content && { content: hide(file.after.content) }) },
  };
  return maskDifference(await differenceOfFile(snapshot, { path: file.path, ...sides }));
}

/** null if the file does not exist or is above the reader's limit; neither is displayed. */
async function readSmall(view: TreeView, path: string): Promise<Uint8Array | null> {
  try {
    return await view.read(path);
  } catch (error) {
    if (isFailure(error) && error.code === 'FILE_TOO_LARGE') return null;
    throw error;
  }
}

const escape = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);

/** Also replaces the half of a placeholder that shortening leaves at either end. */
const withMask = (text: string) =>
  text
    .replace(MASK_WORDS, '***')
    .replace(/hidden-by[a-z-]*(?=…$)/, '***')
    .replace(/^…[a-z-]*backtrail-\d+/, '…***');

function maskDifference(difference: FileDifference): FileDifference {
  const { fields, diff } = difference;
  return {
    ...difference,
    ...(fields && {
      fields: fields.map((field) => ({
        ...field,
        selector: withMask(field.selector),
        ...(field.before !== undefined && { before: withMask(field.before) }),
        ...(field.after !== undefined && { after: withMask(field.after) }),
        ...(field.diff !== undefined && { diff: withMask(field.diff) }),
      })),
    }),
    ...(diff !== undefined && { diff: withMask(diff) }),
  };
}
