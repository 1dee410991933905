import { Document, Pair, Scalar, YAMLMap } from 'yaml';
import type { DocumentBody } from '../core/outline.ts';
import type { OutlineEntry, Outline } from '../core/outline.ts';
import { refuse } from '../core/refusal.ts';
import { positionOf } from '../core/text.ts';
import { parseDotenv } from './dotenv.ts';
import type { FlatEntry } from './flat-entry.ts';
import { parseProperties } from './properties.ts';

/**
 * The entries of a `.env` or `.properties` text.
 * @throws EDIT_REFUSED if parsers would disagree on them, or for a duplicate key
 */
export function flatEntries(text: string, format: 'dotenv' | 'properties'): readonly FlatEntry[] {
  const entries = format === 'dotenv' ? parseDotenv(text) : parseProperties(text);
  const seen = new Set<string>();
  for (const { key, keyStart } of entries) {
    if (seen.has(key))
      refuse('duplicate-key', `The file has a duplicate key (${positionOf(text, keyStart)}).`);
    seen.add(key);
  }
  return entries;
}

/** The entries as a YAML map of strings, so that code for YAML can select, compare and mask them. */
export function flatBody(text: string, entries: readonly FlatEntry[]): DocumentBody {
  const map = new YAMLMap<Scalar, Scalar>();
  map.range = [0, text.length, text.length];
  const outlines = entries.map((entry): OutlineEntry => {
    const key = scalar(entry.key, text, [entry.keyStart, entry.keyEnd]);
    const value = scalar(entry.value, text, [entry.valueStart, entry.valueEnd]);
    map.items.push(new Pair(key, value));
    return {
      key: entry.key,
      keyNode: key,
      start: entry.keyStart,
      after: entry.valueStart,
      indicated: true,
      explicit: false,
      value: outline('scalar', value, [entry.valueStart, entry.valueEnd]),
    };
  });
  const document = new Document(map);
  // Only the nodes and values of this document are read, so that it can stand in for a parsed one.
  // oxlint-disable-next-line no-unsafe-type-assertion
  const parsed = Object.assign(document, { range: map.range }) as unknown as Document.Parsed;
  return {
    index: 0,
    document: parsed,
    root: { ...outline('map', map, [0, text.length]), entries: outlines },
  };
}

function scalar(value: string, text: string, [start, end]: readonly [number, number]): Scalar {
  const node = new Scalar(value);
  const source = text.slice(start, end);
  // `isSame` compares plain scalars by source, others by value.
  Object.assign(node, { source, type: source === value ? Scalar.PLAIN : Scalar.QUOTE_DOUBLE });
  node.range = [start, end, end];
  return node;
}

function outline(
  kind: Outline['kind'],
  node: YAMLMap | Scalar,
  [start, end]: readonly [number, number],
): Outline {
  return { kind, node, flow: false, start, end, tag: '', anchor: null, entries: [] };
}
