import { compareText, isMap, Plain, type Value, type ValueMap } from './value.ts';

/**
 * Prints YAML that all parsers (YAML 1.1 and 1.2, and JSON-like ones) read as the same value: block style, two spaces per level,
 * map keys sorted by code unit, strings quoted if a parser could read something else. Ends with a newline.
 */
export function printDocument(value: Value): string {
  return `${lines(value).join('\n')}\n`;
}

function lines(value: Value): string[] {
  if (isMap(value) && value.size > 0)
    return sortedEntries(value).flatMap(([key, item]) => entry(`${printString(key)}:`, item));
  if (isList(value) && value.length > 0) return value.flatMap(listItem);
  return printInline(value);
}

const sortedEntries = (map: ValueMap): [string, Value][] => [...map].sort(([a], [b]) => compareText(a, b));

function listItem(item: Value): string[] {
  const [first = '', ...rest] = lines(item);
  return [`- ${first}`, ...rest.map(indent)];
}

function entry(key: string, item: Value): string[] {
  if ((isMap(item) && item.size > 0) || (isList(item) && item.length > 0))
    return [key, ...lines(item).map(indent)];
  const [first = '', ...rest] = lines(item);
  return [`${key} ${first}`, ...rest.map(indent)];
}

const indent = (line: string) => (line === '' ? '' : `  ${line}`);

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

function printInline(value: Value): string[] {
  if (value instanceof Plain) return [value.value === null ? 'null' : value.source];
  if (typeof value === 'string') return readsAsBlock(value) ? printBlock(value) : [printString(value)];
  return [isMap(value) ? '{}' : '[]'];
}

/** Text that is safe as a block scalar: printable, first line not indented, no trailing spaces, at most one newline at the end. */
const readsAsBlock = (text: string) =>
  text.includes('\n') &&
  /^[^\s]/.test(text) &&
  !/[ \t](\n|$)/.test(text) &&
  !text.endsWith('\n\n') &&
  !UNPRINTABLE.test(text.replaceAll('\n', '').replaceAll('\t', ''));

function printBlock(text: string): string[] {
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  return [body === text ? '|-' : '|', ...body.split('\n')];
}

/** Characters that YAML requires to be escaped, or that one of its versions treats as a line break (NEL, LS, PS). */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\ufeff\ufffe\uffff]/u;
const UNPRINTABLES = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** A string on one line, also as a key: unquoted only if no parser could read it as anything else. */
export function printString(text: string): string {
  if (SAFE.test(text) && !YAML_1_1_WORDS.test(text)) return text;
  return JSON.stringify(text).replace(
    UNPRINTABLES,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const SAFE = /^[A-Za-z/](?:[A-Za-z0-9_./@-]|:(?=[A-Za-z0-9_./@-])| (?=[A-Za-z0-9_./@-]))*$/;

/** Booleans and nulls of YAML 1.1. */
const YAML_1_1_WORDS = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
