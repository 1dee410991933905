/**
 * Layout patterns: `path` or `path#selector` with `{tenant}`, `{environment}`, `{service}`, `*`, `?` and `**`.
 * A placeholder matches (part of) one path component, or of one key or match value of the selector.
 */
import { parseSelector, type Selector, type Step } from '../yaml/core/selector.ts';
import { type Coordinates, isSafeName } from '../model/index.ts';

export const PLACEHOLDERS = ['tenant', 'environment', 'service'] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];
export type Bindings = Readonly<Partial<Record<Placeholder, string>>>;

/** A piece of a component: literal text, a placeholder, or a wildcard. */
type Piece = { literal: string } | { placeholder: Placeholder } | { wildcard: '*' | '?' };
/** `**`, or the pieces of one path component. */
export type Segment = '**' | readonly Piece[];

export interface Pattern {
  readonly text: string;
  readonly segments: readonly Segment[];
  readonly selector: Selector | null;
  readonly placeholders: ReadonlySet<Placeholder>;
}

/** Compiles a pattern. Throws a plain Error with a sentence as message; the caller adds the position. */
export function compilePattern(text: string): Pattern {
  if (text.length > 512) throw new Error('A pattern is longer than 512 characters.');
  const hash = text.indexOf('#');
  const path = hash < 0 ? text : text.slice(0, hash);
  const selector = hash < 0 ? null : parseSelector(text.slice(hash + 1));
  const names = path.split('/');
  if (names.some((name) => name === '' || name === '.' || name === '..')) {
    throw new Error('A pattern must be a relative path without empty, "." or ".." parts.');
  }
  // Consecutive `**` are equivalent to one.
  const segments = names
    .map(compileSegment)
    .filter((segment, at) => segment !== '**' || names[at + 1] !== '**');
  limitBacktracking(segments);
  for (const step of selector ?? []) checkStep(step);
  const placeholders = new Set<Placeholder>();
  for (const match of text.matchAll(/\{(\w+)\}/g)) placeholders.add(asPlaceholder(match[1] ?? ''));
  return { text, segments, selector, placeholders };
}

function compileSegment(name: string): Segment {
  if (name === '**') return '**';
  if (name.includes('**')) throw new Error('"**" must be a whole part of the path.');
  const pieces: Piece[] = [];
  for (const token of name.match(/\{[^}]*\}|[*?]|[^{*?]+|\{/g) ?? []) {
    if (token === '*' || token === '?') pieces.push({ wildcard: token });
    else if (token.startsWith('{')) pieces.push({ placeholder: asPlaceholder(token.slice(1, -1)) });
    else if (token.includes('}')) throw new Error('A "}" has no "{".');
    else pieces.push({ literal: token });
  }
  return pieces;
}

/** Limits backtracking: the regular expression of a path tries every way to match these. */
function limitBacktracking(segments: readonly Segment[]): void {
  const folders = segments.slice(0, -1).filter((segment) => segment === '**');
  if (folders.length > 2) throw new Error('A pattern may have at most two "**" before its end.');
  const open = (segment: Segment) =>
    segment === '**'
      ? []
      : segment.filter((piece) => 'placeholder' in piece || ('wildcard' in piece && piece.wildcard === '*'));
  if (segments.some((segment) => open(segment).length > 3))
    throw new Error('A part of a pattern may have at most three "*" and placeholders.');
}

/** In a selector step a placeholder is (part of) one key or value, without wildcards. */
function checkStep(step: Step): void {
  const texts = 'key' in step ? [step.key] : 'match' in step ? Object.values(step.match) : [];
  for (const text of texts.filter((candidate) => /[{}]/.test(candidate))) {
    if (/[*?]/.test(text) || ('key' in step && text.includes('/')))
      throw new Error(
        'A placeholder in a selector cannot be combined with "*" or "?", nor in a key with "/".',
      );
    compileSegment(text);
  }
}

function asPlaceholder(name: string): Placeholder {
  const known = PLACEHOLDERS.find((placeholder) => placeholder === name);
  if (known === undefined) throw new Error('The placeholders are {tenant}, {environment} and {service}.');
  return known;
}

/** The text of a component if all its placeholders are bound, else null. */
export function literalSegment(segment: Segment, bindings: Bindings): string | null {
  if (segment === '**') return null;
  let text = '';
  for (const piece of segment) {
    if ('literal' in piece) text += piece.literal;
    else if ('placeholder' in piece && bindings[piece.placeholder] !== undefined)
      text += bindings[piece.placeholder];
    else return null;
  }
  return text;
}

/** Matches one name; returns the extended bindings, or null. */
export function matchSegment(segment: Segment, name: string, bindings: Bindings): Bindings | null {
  if (segment === '**') return bindings;
  const match = new RegExp(`^${segmentSource(segment, bindings, new Set())}$`, 'su').exec(name);
  return match ? extendBindings(bindings, match.groups) : null;
}

function segmentSource(segment: Exclude<Segment, '**'>, bindings: Bindings, seen: Set<Placeholder>): string {
  return segment
    .map((piece) => {
      if ('literal' in piece) return escape(piece.literal);
      if ('wildcard' in piece) return piece.wildcard === '*' ? '[^/]*' : '[^/]';
      const bound = bindings[piece.placeholder];
      if (bound !== undefined) return escape(bound);
      if (seen.has(piece.placeholder)) return `\\k<${piece.placeholder}>`;
      seen.add(piece.placeholder);
      return `(?<${piece.placeholder}>[^/]+)`;
    })
    .join('');
}

const escape = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** Adds captured values to bindings; null if a value is not a valid name (`isCoordinate`). */
function extendBindings(bindings: Bindings, groups: Record<string, string> | undefined): Bindings | null {
  const found = Object.entries(groups ?? {}).filter(([, value]) => value !== undefined);
  return found.every(([, value]) => isCoordinate(value))
    ? { ...bindings, ...Object.fromEntries(found) }
    : null;
}

/** Whether this is a valid name of a tenant, environment or service: one path component, printable, not an option, not hidden, trimmed. */
export function isCoordinate(name: string): boolean {
  return (
    name.length <= 200 &&
    isSafeName(name) &&
    name.trim() === name &&
    !/^[-.]|[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}#\\]/u.test(name)
  );
}

/** The paths that a pattern selects with the given bindings. */
export interface PathSelection {
  /** `path`: one path; `tree`: everything below `prefix`; `glob`: a subset below `prefix`. */
  readonly kind: 'path' | 'tree' | 'glob';
  /** Longest literal prefix; '' for the root. */
  readonly prefix: string;
  /** Bindings of a path, or null if the pattern does not select it. */
  match(path: string): Bindings | null;
  /** Whether something below this folder may be selected. */
  reaches(folder: string): boolean;
}

/** Paths whose match is remembered: a history names the same ones again and again. */
const MAX_KNOWN = 10_000;

export function bindPath(pattern: Pattern, bindings: Bindings): PathSelection {
  const literals = pattern.segments.map((segment) => literalSegment(segment, bindings));
  const open = literals.indexOf(null);
  const prefix = literals.slice(0, open < 0 ? literals.length : open).join('/');
  const last = open === pattern.segments.length - 1 && pattern.segments.at(-1) === '**';
  const kind = open < 0 ? 'path' : last ? 'tree' : 'glob';
  let regex: RegExp | null = null;
  const known = new Map<string, Bindings | null>();
  return {
    kind,
    prefix,
    match: (path) => {
      const found = known.get(path);
      if (found !== undefined) return found;
      if (known.size >= MAX_KNOWN) known.clear();
      regex ??= pathRegex(pattern, bindings);
      const match = regex.exec(path);
      const matched = match ? extendBindings(bindings, match.groups) : null;
      known.set(path, matched);
      return matched;
    },
    reaches: (folder) => reaches(pattern, bindings, folder),
  };
}

/** Matches each component on its own: bindings from one may differ once the whole path is known. */
function reaches({ segments }: Pattern, bindings: Bindings, folder: string): boolean {
  for (const [depth, name] of folder.split('/').entries()) {
    const segment = segments[depth];
    if (segment === undefined || segment === '**') return true;
    if (matchSegment(segment, name, bindings) === null) return false;
  }
  return true;
}

function pathRegex(pattern: Pattern, bindings: Bindings): RegExp {
  const seen = new Set<Placeholder>();
  let source = '';
  pattern.segments.forEach((segment, index) => {
    const end = index === pattern.segments.length - 1;
    if (segment === '**') source += end ? '.+' : '(?:[^/]+/)*';
    else source += `${segmentSource(segment, bindings, seen)}${end ? '(?:/.+)?' : '/'}`;
  });
  return new RegExp(`^${source}$`, 'su');
}

/** Maximum number of ways in which one path matches a pattern; only hostile names have more. */
const MAX_BINDINGS = 200;

/** All ways in which a path, or a folder above it, matches a pattern; a regular expression gives only the first. */
export function allBindings({ segments }: Pattern, path: string): Bindings[] {
  const names = path.split('/');
  const found = new Map<string, Bindings>();
  const visit = (depth: number, at: number, known: Bindings): void => {
    const segment = segments[depth];
    if (found.size >= MAX_BINDINGS) return;
    if (segment === undefined) found.set(JSON.stringify(PLACEHOLDERS.map((name) => known[name])), known);
    else if (segment !== '**') {
      const name = names[at];
      if (name !== undefined)
        for (const bindings of segmentBindings(segment, name, known)) visit(depth + 1, at + 1, bindings);
    } else if (depth === segments.length - 1) {
      visit(depth + 1, names.length, known);
    } else for (let next = at; next < names.length; next += 1) visit(depth + 1, next, known);
  };
  visit(0, 0, {});
  return [...found.values()];
}

/** All ways to divide a name among the pieces of a component. */
function segmentBindings(segment: Exclude<Segment, '**'>, name: string, bindings: Bindings): Bindings[] {
  const found: Bindings[] = [];
  const visit = (index: number, at: number, known: Bindings): void => {
    const piece = segment[index];
    if (found.length >= MAX_BINDINGS) return;
    if (piece === undefined) {
      if (at === name.length) found.push(known);
      return;
    }
    const literal =
      'literal' in piece ? piece.literal : 'placeholder' in piece ? known[piece.placeholder] : undefined;
    if (literal !== undefined) {
      if (name.startsWith(literal, at)) visit(index + 1, at + literal.length, known);
      return;
    }
    const isOne = 'wildcard' in piece && piece.wildcard === '?';
    const [least, most] = isOne ? [1, 1] : ['placeholder' in piece ? 1 : 0, name.length - at];
    for (let length = least; length <= most && at + length <= name.length; length += 1) {
      const value = name.slice(at, at + length);
      if ('placeholder' in piece && !isCoordinate(value)) continue;
      visit(
        index + 1,
        at + length,
        'placeholder' in piece ? { ...known, [piece.placeholder]: value } : known,
      );
    }
  };
  visit(0, 0, bindings);
  return found;
}

/** Fills bound placeholders into a selector; unbound ones stay. */
export function bindSelector(selector: Selector, bindings: Bindings): Selector {
  return selector.map((step) => bindStep(step, bindings));
}

function bindStep(step: Step, bindings: Bindings): Step {
  if ('key' in step) return { key: fill(step.key, bindings) };
  if ('index' in step || 'enter' in step) return step;
  return {
    match: Object.fromEntries(Object.entries(step.match).map(([key, value]) => [key, fill(value, bindings)])),
  };
}

/** Fills bound placeholders into a text. */
export function fill(text: string, bindings: Bindings): string {
  return text.replace(
    /\{(tenant|environment|service)\}/g,
    (whole, name: Placeholder) => bindings[name] ?? whole,
  );
}

/** Bindings of the unbound placeholders of a template such as `{service}` or `app-{service}`; null if the text does not match. */
export function matchTemplate(template: string, text: string, bindings: Bindings): Bindings | null {
  if (!hasPlaceholder(template)) return template === text ? bindings : null;
  return matchSegment(compileSegment(template), text, bindings);
}

export function hasPlaceholder(text: string): boolean {
  return /\{(tenant|environment|service)\}/.test(text);
}

export function toBindings({ tenant, environment, service }: Partial<Coordinates>): Bindings {
  return {
    ...(tenant !== undefined && { tenant }),
    ...(environment !== undefined && { environment }),
    ...(service !== undefined && { service }),
  };
}
