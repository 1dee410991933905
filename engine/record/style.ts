/** Configurable parts of commit messages: subject, trailers, sign-off. Templates contain `{placeholders}`. */
import type { Person } from '../model/index.ts';
import { formatCoordinates } from '../model/index.ts';
import { EVENT_TRAILERS } from './ledger-message.ts';
import { cleanValue } from './text.ts';
import { type RollbackRecord, TRAILERS } from './trailers.ts';

export interface MessageStyle {
  /** Template of the whole subject; null: the default one. */
  readonly subject: string | null;
  /** Templates of additional trailers, by key. */
  readonly trailers: Readonly<Record<string, string>>;
  /** People who sign off the commit. */
  readonly signers: readonly Person[];
}

export const DEFAULT_STYLE: MessageStyle = { subject: null, trailers: {}, signers: [] };

/** Placeholders of templates, with their descriptions. */
export const MESSAGE_PLACEHOLDERS = {
  tenant: 'name of the tenant',
  environment: 'name of the environment',
  service: 'name of the service',
  scope: 'all three, as acme/production/api',
  fields: 'up to three fields, or their number',
  target: 'short id of the revision to return to, empty for a resume',
  mode: 'full, service or field',
  reason: 'first line of the reason',
  author: 'email of the author of the request',
  request: 'id of the request',
} as const;

export type MessageValues = Readonly<Record<keyof typeof MESSAGE_PLACEHOLDERS, string>>;

const PLACEHOLDER = /\{(\w*)\}/g;
const FIELDS_NAMED = 3;
/** Maximum length in characters. commitlint's default is 100; GitLab's push rules allow at most 511. */
const SUBJECT_LIMIT = 100;

/** Keys that state what a person did, which a configuration cannot know, or that Backtrail interprets. */
const RESERVED = new Set(
  [
    ...Object.keys(TRAILERS),
    ...EVENT_TRAILERS,
    'Signed-off-by',
    'Approved-by',
    'Acked-by',
    'Reviewed-by',
    'Tested-by',
    'Migration',
    'Deployment-Source',
  ].map((key) => key.toLowerCase()),
);
const RESERVED_FAMILY = /^(?:rollback|delivery|event|resume|backtrail|approval)(?:-|$)/i;

const TRAILER_LIKE = /^(?:(?:rollback|delivery|event|resume)-[a-z-]+|[a-z-]+-by)\s*:/i;

/** Returns the problem of a template, as a sentence, or null. */
export function templateProblem(template: string): string | null {
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(template))
    return 'It must be one line of printable characters.';
  const unknown = [...template.matchAll(PLACEHOLDER)].find(([, name]) => !isPlaceholder(name ?? ''));
  if (unknown === undefined) return null;
  const names = Object.keys(MESSAGE_PLACEHOLDERS)
    .map((name) => `{${name}}`)
    .join(', ');
  return `The placeholder ${unknown[0]} does not exist; valid are ${names}.`;
}

/** Returns the problem of a trailer key, as a sentence, or null. `before`: earlier keys; git compares keys without case. */
export function trailerKeyProblem(key: string, before: readonly string[]): string | null {
  if (!/^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(key))
    return 'A trailer key must be a letter followed by up to 63 letters, digits or "-".';
  if (RESERVED.has(key.toLowerCase()) || RESERVED_FAMILY.test(key))
    return 'This key is reserved and cannot be set.';
  const same = before.find((other) => other.toLowerCase() === key.toLowerCase());
  return same === undefined ? null : `The trailer ${same} is a duplicate: git ignores case in keys.`;
}

export function messageValues(record: RollbackRecord, shortTarget: string): MessageValues {
  const { tenant, environment, service, fields } = record;
  const scope = {
    environment,
    ...(tenant !== undefined && { tenant }),
    ...(service !== undefined && { service }),
  };
  return {
    tenant: tenant ?? '',
    environment,
    service: service ?? '',
    scope: formatCoordinates(scope),
    fields: fields.length > FIELDS_NAMED ? `${fields.length} fields` : fields.join(', '),
    target: shortTarget,
    mode: record.mode,
    reason: firstLine(record.justification),
    author: record.author,
    request: record.requestId,
  };
}

/**
 * Fills the template of a subject: one clean line of at most 100 characters, `suffix` included. An empty placeholder is removed
 * with the brackets and spaces around it, so that `fix({service}): …` without service becomes `fix: …`. Returns '' if nothing is left,
 * or if a name or reason makes the line look like a trailer.
 */
export function fillSubject(template: string, values: MessageValues, suffix = ''): string {
  const spare = /[ \t]*([([]?)\{(\w+)\}([)\]]?)/g;
  const kept = template.replace(spare, (all: string, open: string, name: string, close: string) => {
    if (!isPlaceholder(name) || cleanValue(values[name]) !== '') return all;
    return open !== '' && close !== '' ? '' : `${open}${close}`;
  });
  const line = subjectLine(fill(kept, values).replace(/^[:\s]+/, ''));
  if (line === '' || TRAILER_LIKE.test(line)) return '';
  const room = SUBJECT_LIMIT - suffix.length;
  const characters = Array.from(line);
  const cut =
    characters.length > room
      ? `${characters
          .slice(0, room - 1)
          .join('')
          .trimEnd()}…`
      : line;
  return `${cut}${suffix}`;
}

/**
 * Makes any text usable as a subject. A leading `---` would end the message for git-interpret-trailers(1), a leading `#` may be stripped
 * as a comment, and `This reverts commit` marks a revert.
 */
export function subjectLine(text: string): string {
  return cleanValue(text).replace(/^(?:[-#\s]|This reverts commit\b)+/, '');
}

/** The configured trailers in their order, without empty ones, then sign-offs. */
export function styleTrailers(style: MessageStyle, values: MessageValues): [key: string, value: string][] {
  const own = Object.entries(style.trailers).map(([key, template]): [string, string] => [
    key,
    cleanValue(fill(template, values)),
  ]);
  return [...own.filter(([, value]) => value !== ''), ...signOffs(style.signers)];
}

/** Appends sign-offs to a message that ends with its trailers. */
export function signedOff(message: string, people: readonly Person[]): string {
  return `${message}${signOffs(people)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('')}`;
}

/** In the form of `git commit --signoff`; each person once. */
function signOffs(people: readonly Person[]): [key: string, value: string][] {
  const signatures = new Set(people.map(({ name, email }) => cleanValue(`${name} <${email}>`)));
  return [...signatures].map((value) => ['Signed-off-by', value]);
}

/** Fills placeholders in one pass: values are not expanded again. */
function fill(template: string, values: MessageValues): string {
  return template.replace(PLACEHOLDER, (all, name: string) =>
    isPlaceholder(name) ? cleanValue(values[name]) : all,
  );
}

function isPlaceholder(name: string): name is keyof MessageValues {
  return Object.hasOwn(MESSAGE_PLACEHOLDERS, name);
}

const firstLine = (text: string) =>
  text
    .split(/[\n\v\f\r\u0085\u2028\u2029]/, 100)
    .map(cleanValue)
    .find((line) => line !== '') ?? '';
