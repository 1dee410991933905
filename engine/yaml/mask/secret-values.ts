import { isAlias, isMap, isScalar, isSeq, type Document } from 'yaml';
import { scalarText } from '../core/nodes.ts';
import { isHarmlessValue, isSecretKey } from './secrets.ts';
import { tryParse } from '../core/try-parse.ts';

/** Minimum length; shorter values occur too often by chance. */
const MIN_LENGTH = 4;

/**
 * The values of secret keys in a YAML or JSON text, as parsed and as written, to search for in other texts. Multi-line values
 * count line by line. For a text that does not parse: the values after secret keys on one line.
 */
export function secretValues(text: string): Set<string> {
  const found = new Set<string>();
  const add = (value: string) => {
    for (const line of value.split('\n').map((part) => part.trim()))
      if (line.length >= MIN_LENGTH && !isHarmlessValue(line) && !/^(?:true|false|null)$/i.test(line))
        found.add(line).add(JSON.stringify(line).slice(1, -1));
  };
  const documents = tryParse(text);
  for (const document of documents ?? []) collect(document, add);
  if (documents === null)
    for (const [, key = '', value = ''] of text.matchAll(/^[\s"'-]*([\w.-]{1,200})["']?[ \t]*:[ \t]+(.+)$/gm))
      if (isSecretKey(key)) add(value.replace(/^(["'])(.*)\1\s*(?:#.*)?$|\s#.*$/, '$2'));
  return found;
}

function collect(document: Document.Parsed, add: (value: string) => void): void {
  const seen = { true: new Set<unknown>(), false: new Set<unknown>() };
  const visit = (node: unknown, secret: boolean): void => {
    const target = isAlias(node) ? node.resolve(document) : node;
    const known = seen[`${secret}`];
    if (known.has(target)) return;
    known.add(target);
    if (isSeq(target)) for (const item of target.items) visit(item, secret);
    if (isMap(target))
      for (const { key, value } of target.items) visit(value, secret || isSecretKey(scalarText(key) ?? ''));
    if (!secret || !isScalar(target)) return;
    add(scalarText(target) ?? '');
    if (typeof target.value !== 'string') add(target.source ?? '');
  };
  visit(document.contents, false);
}
