/** What a configuration may say of commit messages: a subject of its own, more trailers, a sign-off. Templates hold `{placeholders}`. */
import type { Person } from '../model/index.ts';
import { formatCoordinates } from '../model/index.ts';
import { EVENT_TRAILERS } from './ledger-message.ts';
import { cleanValue } from './text.ts';
import { type RollbackRecord, TRAILERS } from './trailers.ts';

export interface MessageStyle {
  /** Template of the whole subject; null for the usual one. */
  readonly subject: string | null;
  /** Templates of more trailers, by key. */
  readonly trailers: Readonly<Record<string, string>>;
  /** Who signs the commit off. */
  readonly signers: readonly Person[];
}

export const PLAIN: MessageStyle = { subject: null, trailers: {}, signers: [] };

/** What a template may hold, and what it stands for. */
export const MESSAGE_PLACEHOLDERS = {
  tenant: 'name of the tenant',
  environment: 'name of the environment',
  service: 'name of the service',
  scope: 'all three, as acme/production/api',
  fields: 'up to three fields, or their number',
  target: 'short id of the revision that it returns to',
  mode: 'full, service or field',
  reason: 'first line of the reason',
  author: 'email of who asked for it',
  request: 'id of the request',
} as const;

export type MessageValues = Readonly<Record<keyof typeof MESSAGE_PLACEHOLDERS, string>>;

const PLACEHOLDER = /\{(\w*)\}/g;
const FIELDS_NAMED = 3;
/** Characters. commitlint's usual limit is 100, and that of GitLab's push rules is at most 511. */
const SUBJECT_LIMIT = 100;

/** Keys that say what somebody did, which a configuration cannot know, or that Backtrail itself reads. */
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

/** What is wrong with a template, as a sentence; null where nothing is. */
export function templateProblem(template: string): string | null {
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(template)) return 'It is one line of readable characters.';
  const unknown = [...template.matchAll(PLACEHOLDER)].find(([, name]) => !isPlaceholder(name ?? ''));
  if (unknown === undefined) return null;
  const names = Object.keys(MESSAGE_PLACEHOLDERS)
    .map((name) => `{${name}}`)
    .join(', ');
  return `There is no placeholder ${unknown[0]}: there are ${names}.`;
}

/** What is wrong with the keys of own trailers: the key, and a sentence. Git compares keys without regard to case. */
export function trailerKeyProblem(key: string, before: readonly string[]): string | null {
  if (!/^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(key))
    return 'The key of a trailer is a letter, and up to 63 letters, digits and "-".';
  if (RESERVED.has(key.toLowerCase()) || RESERVED_FAMILY.test(key))
    return 'This key has a meaning of its own, and cannot be set.';
  const same = before.find((other) => other.toLowerCase() === key.toLowerCase());
  return same === undefined ? null : `The trailer ${same} is there already: git takes both for one.`;
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
 * The subject that a template gives: one clean line of at most 100 characters, `suffix` included. A placeholder with nothing to say
 * goes with the brackets and blanks around it, so that `fix({service}): …` of an environment is `fix: …`. Empty where nothing is left, or
 * where a name or reason makes it look like a trailer to whoever searches messages by line.
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
 * Any text as a subject. One that begins with `---` ends the message for `git interpret-trailers`, one with `#` is a comment for others,
 * and `This reverts commit` is what git says of a revert.
 */
export function subjectLine(text: string): string {
  return cleanValue(text).replace(/^(?:[-#\s]|This reverts commit\b)+/, '');
}

/** The trailers that a configuration adds, in their order, sign-offs last; each once, none empty. */
export function styleTrailers(style: MessageStyle, values: MessageValues): [key: string, value: string][] {
  const own = Object.entries(style.trailers).map(([key, template]): [string, string] => [
    key,
    cleanValue(fill(template, values)),
  ]);
  return [...own.filter(([, value]) => value !== ''), ...signOffs(style.signers)];
}

/** A message that ends with its trailers, signed off by these people. */
export function signedOff(message: string, people: readonly Person[]): string {
  return `${message}${signOffs(people)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('')}`;
}

/** As `git commit --signoff` writes them; each person once. */
function signOffs(people: readonly Person[]): [key: string, value: string][] {
  const signatures = new Set(people.map(({ name, email }) => cleanValue(`${name} <${email}>`)));
  return [...signatures].map((value) => ['Signed-off-by', value]);
}

/** In one pass: what a value holds is text, whatever it looks like. */
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
