import type { Document, Node, Pair, Scalar } from 'yaml';
import { isAlias, isCollection, isMap, isPair, isScalar, isSeq } from 'yaml';
import type { SourceLayout, Span } from './comments.ts';
import { addZone, maskComments } from './comments.ts';
import { maskLines, VALUE_OF_PAIR } from './lines.ts';
import { scalarText } from '../core/nodes.ts';
import type { Marker } from './secrets.ts';
import { isHarmlessValue, isSecretKey, isSettingsGroup, maskTokens, mayHoldToken } from './secrets.ts';
import { isPlainLine, tryParse } from '../core/try-parse.ts';

export interface Secrets {
  /** In text order, without overlaps. */
  readonly spans: readonly Span[];
  /** Scalars that are secret as a whole because of their position. */
  readonly nodes: ReadonlySet<unknown>;
  /** `nodes`, and scalars that contain a secret. */
  readonly masked: ReadonlySet<unknown>;
}

interface SecretSearch {
  readonly text: string;
  readonly marker: Marker;
  /** Anchors used as a secret value; grows from round to round. */
  readonly anchors: Set<string>;
  /** In the last round every anchor counts as secret. */
  readonly isLastRound: boolean;
  readonly nodes: Set<unknown>;
  readonly masked: Set<unknown>;
  readonly spans: Span[];
  readonly layout: SourceLayout;
  /** Depth of nested strings. */
  readonly depth: number;
}

interface NodeContext {
  readonly secret: boolean;
  /** The nearest key above. */
  readonly key: string;
  /** The map is an item of a list. */
  readonly isItem?: boolean;
  /** Below a manifest such as an ExternalSecret, whose `template.data` becomes a Secret. */
  readonly makesSecret?: boolean;
}

const MAX_ROUNDS = 6;
const IMAGE_KEYS = /image|repository|^(?:ref|uses|from|tag|newName|newTag)$/i;
const NAME_KEYS = /^(?:name|key|variable|parameter|env|id|path)$/i;
/** With one of these keys beside it, or below such a key, `key` names a key of something else. */
const BESIDE_KEY =
  /^(?:name|operator|effect|values?|path|optional|property|version|weight|mode|restore-keys|paths)$/i;
const HOLDS_KEY = /refs?$|^(?:extract|find|cache|remote|sort|labels?|selector|match\w*|taint|header|field)$/i;
/** Option letters that take a password in some commands; and arguments, or commands, for which they do not. */
const LETTER = /^-[pak]$/;
const NO_PASSWORD =
  /^(?:[-./~$&|;<>{].*|[\w.-]+(?:\/[\w.-]+)+\/?|[\w.-]*[:/]{1,3}\d[\d:/a-z]*|\d[\d:.-]*(?:\/\w+)?|https?:.*|true|false)$/s;
const LETTER_MEANS_ELSE =
  /(?:^|\/)(?:kubectl|kustomize|oc|mkdir|cp|grep|docker|podman|ssh|scp|nmap|netstat|ps|ls|tar|rsync|curl|uname|kill|pkill|python\d?|perl|tee|install)$/;
/** Maximum depth of nested strings that are parsed. */
const MAX_DEPTH = 3;
const USER_KEYS = /(?:users?|logins?)$/i;
const FLAG = /^--?([A-Za-z][\w.-]*)$/;

/** Finds the secrets in parsed documents of `text`, by the rules of `maskYaml`. Never follows aliases, so that alias bombs do no harm. `code` as for `maskYaml`. */
export function findSecrets(
  text: string,
  documents: readonly Document.Parsed[],
  marker: Marker,
  { depth = 0, code = text }: { readonly depth?: number; readonly code?: string } = {},
): Secrets {
  const anchors = new Set<string>();
  for (let round = 1; ; round += 1) {
    const known = anchors.size;
    const search: SecretSearch = {
      text,
      marker,
      anchors,
      isLastRound: round === MAX_ROUNDS,
      nodes: new Set(),
      masked: new Set(),
      spans: [],
      layout: { text, code, scalars: [], zones: [] },
      depth,
    };
    for (const document of documents) visit(document.contents, { secret: false, key: '' }, search);
    if (anchors.size > known && round < MAX_ROUNDS) continue;
    search.spans.push(...maskComments(search.layout, marker));
    return { spans: disjoint(search.spans), nodes: search.nodes, masked: search.masked };
  }
}

/** The text from `start` to `end` with its spans replaced; a span cut by an edge is replaced entirely. */
export function splice(text: string, spans: readonly Span[], start = 0, end = text.length): string {
  let shown = '';
  let from = start;
  for (let index = firstAfter(spans, start); index < spans.length; index += 1) {
    const span = spans[index];
    if (span === undefined || span.start >= end) break;
    shown += text.slice(from, Math.max(from, span.start)) + span.replacement;
    from = span.end;
  }
  return shown + text.slice(from, Math.max(from, end));
}

/** Index of the first span that ends after `offset`. */
function firstAfter(spans: readonly Span[], offset: number): number {
  let low = 0;
  for (let high = spans.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.end ?? 0) > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

function visit(node: unknown, place: NodeContext, search: SecretSearch): void {
  if (isAlias(node)) {
    if (place.secret) search.anchors.add(node.source);
  } else if (isScalar(node)) visitScalar(node, within(node, place, search), search);
  else if (isMap(node)) visitMap(node.items, within(node, place, search), search);
  else if (isSeq(node)) visitItems(node.items, within(node, place, search), search);
}

function within(node: Node, place: NodeContext, search: SecretSearch): NodeContext {
  const anchor = isScalar(node) || isCollection(node) ? node.anchor : undefined;
  return anchor !== undefined && (search.isLastRound || search.anchors.has(anchor))
    ? { ...place, secret: true }
    : place;
}

function visitMap(items: readonly Pair[], place: NodeContext, search: SecretSearch): void {
  const isSecretPair = items.some(
    ({ key, value }) => NAME_KEYS.test(keyText(key)) && isSecretKey(scalarText(value) ?? ''),
  );
  const login = items
    .filter(({ key }) => NAME_KEYS.test(keyText(key)))
    .map(({ value }) => scalarText(value) ?? '')
    .find((name) => USER_KEYS.test(name));
  const isManifest = isSecretManifest(items, search);
  const makesSecret =
    place.makesSecret === true ||
    items.some(({ key, value }) => /^kind$/i.test(keyText(key)) && /secret/i.test(scalarText(value) ?? ''));
  for (const { key, value } of items) {
    const name = keyText(key);
    const secret =
      place.secret ||
      (isSecretKey(name) && !isReference(value) && !(isCollection(value) && isSettingsGroup(name))) ||
      isPlainKey(name, value, items, place) ||
      (isManifest && /^(?:data|stringData)$/i.test(name)) ||
      (makesSecret && place.key === 'template' && /^(?:data|stringData)$/i.test(name)) ||
      (isSecretPair && VALUE_OF_PAIR.test(name));
    visit(key, { secret: false, key: '' }, search);
    const nearest = VALUE_OF_PAIR.test(name) ? (login ?? name) : name;
    visit(value, { secret, key: nearest, makesSecret }, search);
    if (secret) addZone(key, value, search.layout);
  }
}

/** Whether `key` is a secret: it is in `api: {key: …}`; not in tolerations, expressions, list items and references. */
function isPlainKey(name: string, value: unknown, items: readonly Pair[], place: NodeContext): boolean {
  return (
    /^key$/i.test(name) &&
    isScalar(value) &&
    typeof value.value === 'string' &&
    place.isItem !== true &&
    !HOLDS_KEY.test(place.key) &&
    !items.some(({ key }) => BESIDE_KEY.test(keyText(key)))
  );
}

function visitItems(items: readonly unknown[], place: NodeContext, search: SecretSearch): void {
  let before = '';
  const takesLetter = /(?:^|\/)(?:mysql|mariadb)[\w-]*$/.test(scalarText(items[0]) ?? '');
  const takesPassword = !LETTER_MEANS_ELSE.test(scalarText(items[0]) ?? '');
  for (const item of items) {
    const text = scalarText(item) ?? '';
    const flag = FLAG.exec(before)?.[1];
    const isSecret =
      (flag !== undefined && isSecretKey(flag)) ||
      isCredentials(before, text) ||
      (takesLetter && /^-p./.test(text)) ||
      (takesPassword && LETTER.test(before) && !NO_PASSWORD.test(text));
    if (isPair(item)) visitMap([item], place, search);
    else visit(item, { ...place, secret: place.secret || isSecret, isItem: true }, search);
    before = text;
  }
}

/** `[-u, 'admin:pass']`; two numbers are a user and a group id. */
const isCredentials = (flag: string, text: string) =>
  /^(?:-u|--(?:proxy-)?user)$/.test(flag) && /^[^\s:]+:./.test(text) && !/^\d+:\d+$/.test(text);

function visitScalar(node: Scalar, place: NodeContext, search: SecretSearch): void {
  const [start = 0, end = 0] = node.range ?? [0, search.text.length];
  const source = search.text.slice(start, end);
  search.layout.scalars.push({ start, end });
  if (place.secret || isCredentialsList(place.key, scalarText(node) ?? '')) {
    search.nodes.add(node);
    search.masked.add(node);
    if (!isHarmlessValue(source))
      search.spans.push({ start, end, replacement: maskWhole(source, place.key, search) });
    return;
  }
  const { marker, depth } = search;
  const shown = maskWithin({ source, value: scalarText(node), key: place.key, marker, depth });
  if (shown === source) return;
  search.masked.add(node);
  search.spans.push({ start, end, replacement: shown });
}

/** `users: |` with lines such as `admin:{SHA}…` or `admin:hunter2` (htpasswd); two numbers are a user and a group id. */
function isCredentialsList(key: string, value: string): boolean {
  if (!USER_KEYS.test(key)) return false;
  const lines = value.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return (
    lines.length > 0 &&
    lines.every((line) => /^(?!\d+:\d+$|system:)[^\s:]{1,128}:[^\s/]\S*$/.test(line.trim()))
  );
}

/** Keeps quotes, so that JSON stays JSON, and a block scalar's last line break, so that line numbers stay. */
function maskWhole(source: string, key: string, search: SecretSearch): string {
  const shown = search.marker(`${key}=${source}`);
  const quote = /^["']/.exec(source)?.[0] ?? '';
  return quote + shown + quote + (/\r?\n$/.exec(source)?.[0] ?? '');
}

/** Masks secrets within a value that is not secret as a whole. */
function maskWithin(scalar: {
  source: string;
  value: string | null;
  key: string;
  marker: Marker;
  depth: number;
}): string {
  const { source, value, key, marker, depth } = scalar;
  if (!/[=:\s<]/.test(source) && !mayHoldToken(source)) return source;
  const isImage = IMAGE_KEYS.test(key) && !/\s/.test(source);
  const mask = isImage
    ? maskTokens
    : (text: string, use: Marker) => maskNested(text, use, depth) ?? maskLines(text, use);
  const quote = /^["']/.exec(source)?.[0];
  const header = /^\|[-+\d]*[ \t]*(?:#[^\n]*)?\r?\n/.exec(source)?.[0];
  if (header !== undefined) return maskLines(header, marker) + mask(source.slice(header.length), marker);
  if (quote === undefined) {
    // Folded lines differ from those of the nested document: if it has a secret, mask all of it.
    const nested = value === null ? null : maskNested(value, marker, depth);
    const plain = nested === null || nested === value || isImage;
    return plain ? mask(source, marker) : marker(`${key}=${source}`) + (/\r?\n$/.exec(source)?.[0] ?? '');
  }
  const inner = source.slice(1, -1);
  if (inner === value) return quote + mask(inner, marker) + quote;
  const decoded = value ?? '';
  return mask(decoded, marker) === decoded ? source : quote + marker(`${key}=${source}`) + quote;
}

/** Masks a string that is YAML or JSON by its structure; null if it is not. */
function maskNested(text: string, marker: Marker, depth: number): string | null {
  if (isPlainLine(text)) return null;
  if (depth < MAX_DEPTH && !/\n\s*\S|[{[]/.test(text)) return null;
  const documents = tryParse(text);
  // Nothing is shown at this depth of what has parts, or cannot be looked into.
  if (depth >= MAX_DEPTH && documents === null) return marker(text);
  if (!documents?.some(({ contents }) => isMap(contents) || isSeq(contents))) return null;
  if (depth >= MAX_DEPTH) return marker(text);
  return splice(text, findSecrets(text, documents, marker, { depth: depth + 1 }).spans);
}

function keyText(key: unknown): string {
  return scalarText(key) ?? '';
}

/** A volume's `secret: {secretName: x}` refers to a Secret. */
function isReference(value: unknown): boolean {
  return isMap(value) && value.items.some(({ key }) => keyText(key) === 'secretName');
}

function isSecretManifest(items: readonly Pair[], search: SecretSearch): boolean {
  return items.some(({ key, value }) => {
    const name = keyText(key);
    if (name === '<<' || isAlias(value)) return /^(?:<<|kind)$/i.test(name) && /secret/i.test(search.text);
    return /^kind$/i.test(name) && /^Secret(?:List)?$/i.test((scalarText(value) ?? '').trim());
  });
}

function disjoint(spans: readonly Span[]): Span[] {
  const sorted = [...spans].sort((a, b) => a.start - b.start || b.end - a.end);
  let end = -1;
  return sorted.filter((span) => {
    if (span.start < end) return false;
    end = span.end;
    return true;
  });
}
