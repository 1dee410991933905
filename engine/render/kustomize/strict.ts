/** Parses files that Kustomize will parse too, and refuses text that the two parsers could read differently. */
import type { Document } from 'yaml';
import type { BacktrailError } from '../../model/index.ts';
import { convert, newBudget } from '../convert.ts';
import { readSource, type SourceFile } from '../source-file.ts';
import { cleanText } from '../quoted-text.ts';
import { isMap, Plain, textOf, type Value, type ValueMap } from '../value.ts';

/** Refuses control characters and line breaks of YAML 1.1: they would end a line, and a comment, for Kustomize only. */
export function readStrictly(path: string, bytes: Uint8Array): SourceFile {
  const file = readSource(path, bytes);
  const text = new TextDecoder().decode(bytes);
  // oxlint-disable-next-line no-control-regex -- control characters are what it refuses
  const odd = /\r(?!\n)|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u0085\u2028\u2029]/.exec(text);
  if (odd) throw file.fail(odd.index, 'control characters and unusual line breaks are not allowed.');
  return file;
}

export function toMap(file: SourceFile, document: Document): ValueMap {
  const value = convert({ file, document, budget: newBudget(), variables: null });
  if (isMap(value)) return value;
  if (value instanceof Plain && value.value === null) return new Map();
  throw file.fail(0, 'must be a map.');
}

export const mapAt = (map: ValueMap, key: string): ValueMap => {
  const value = map.get(key);
  return isMap(value) ? value : new Map();
};

export type Fail = (problem: string) => BacktrailError;

export function itemsOf(value: Value, fail: Fail): readonly Value[] {
  if (Array.isArray(value)) return value as readonly Value[];
  if (value instanceof Plain && value.value === null) return [];
  throw fail('must be a list.');
}

export function textIn(value: Value, fail: Fail): string {
  const text = textOf(value);
  if (text === undefined || text === '') throw fail('every entry must be text.');
  return text;
}

/** Texts under the given keys of a map. Go matches keys without case, so another case would hide a path from this check. */
export function pathsIn(value: Value, keys: readonly string[], fail: Fail): string[] {
  if (!isMap(value)) throw fail('every entry must be a map.');
  const fold = (key: string) => key.normalize('NFKC').toLowerCase();
  return [...value].flatMap(([key, item]) => {
    if (!keys.includes(key)) {
      if ([...keys, 'replacements'].includes(fold(key)) && key !== 'replacements')
        throw fail(`the key ${cleanText(key)} must be written ${fold(key)}.`);
      return [];
    }
    if (item instanceof Plain && item.value === null) return [];
    const texts = Array.isArray(item) ? (item as readonly Value[]) : [item];
    // An entry may name its key: `settings=path/of/file`.
    return texts
      .map((text) => textOf(text) ?? '')
      .filter((text) => text !== '')
      .map((text) => (key === 'files' ? text.slice(text.indexOf('=') + 1) : text));
  });
}

export const isInline = (text: string) => text.includes('\n') || text.trimStart().startsWith('{');
