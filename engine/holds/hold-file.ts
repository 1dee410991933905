/** The file of a hold. People may edit it, so that it is parsed as hostile input. */
import * as z from 'zod';
import {
  formatCoordinates,
  type Hold,
  type HoldBody,
  isObjectId,
  isRequestId,
  isSafePath,
  MODES,
  type Person,
  type RequestId,
} from '../model/index.ts';
import { parseText } from '../yaml/core/document.ts';
import { refusalReason } from '../yaml/core/refusal.ts';
import { parseSelector } from '../yaml/core/selector.ts';

export const HOLDS = '.backtrail/holds';

interface Environment {
  readonly tenant?: string | undefined;
  readonly environment: string;
}

/** The folder of the holds of an environment. */
export function holdFolder({ tenant, environment }: Environment): string {
  return [HOLDS, ...(tenant === undefined ? [] : [tenant]), environment].join('/');
}

export function holdPath(of: Environment, id: RequestId): string {
  return `${holdFolder(of)}/${id}.yaml`;
}

export const isHoldPath = (path: string) => path.startsWith(`${HOLDS}/`);

/** What is known of a hold only when it is written. */
export interface HoldWriting {
  readonly id: RequestId;
  /** ISO 8601. */
  readonly since: string;
  readonly reason: string;
  readonly author: Person;
}

/** The hold that a rollback with this plan places. */
export function holdOf({ seconds, ...body }: HoldBody, { id, since, reason, author }: HoldWriting): Hold {
  const start = Math.floor(Date.parse(since) / 1000) * 1000;
  return {
    ...body,
    path: holdPath(body, id),
    requestId: id,
    since: iso(start),
    until: seconds === null ? null : iso(start + seconds * 1000),
    reason: oneLine(reason),
    author: oneLine(author.email),
  };
}

const iso = (milliseconds: number) => new Date(milliseconds).toISOString().replace('.000Z', 'Z');

const REASON = 500;

/** Without what an editor or a terminal could take for something else. */
function oneLine(text: string): string {
  const line = text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length > REASON ? `${line.slice(0, REASON).replace(/\p{Cs}$/u, '')}…` : line;
}

/** The text of the file: the same for the same hold. Values are JSON, which YAML includes. */
export function printHold(hold: Hold): string {
  const { requestId, mode, target, since, until, reason, author, fields, taken } = hold;
  const scope = formatCoordinates(hold);
  return [
    `# Automation must not move these fields. To lift this hold: backtrail resume ${oneLine(scope)}`,
    'version: 1',
    ...Object.entries({ request: requestId, scope, mode, target, since, until, reason, author }).map(
      ([key, value]) => `${key}: ${json(value)}`,
    ),
    ...list('fields', fields),
    ...list('taken', taken),
    '',
  ].join('\n');
}

function list(name: string, items: readonly object[]): string[] {
  if (items.length === 0) return [`${name}: []`];
  const lines = items.flatMap((item) =>
    Object.entries(item)
      .filter(([, value]) => value !== undefined)
      .map(([key, value], index) => `${index === 0 ? '  - ' : '    '}${key}: ${json(value)}`),
  );
  return [`${name}:`, ...lines];
}

/** JSON that is one line for every reader of YAML, and shows no control characters. */
const json = (value: unknown) =>
  JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const MAX_LENGTH = 1024 * 1024;
const text = (limit: number) => z.string().max(limit);
const safePath = text(4096).refine(
  (path) => isSafePath(path) && !/^\.backtrail(?:\/|$)/i.test(path),
  'is outside of what can be held',
);
const selector = text(4096).refine((value) => {
  try {
    parseSelector(value);
    return true;
  } catch {
    return false;
  }
}, 'is not a selector');
const time = z.iso.datetime();

const shape = z.strictObject({
  version: z.literal(1),
  request: z.string().refine(isRequestId, 'is not the id of a request'),
  scope: text(1000),
  mode: z.enum(MODES),
  target: z.string().refine(isObjectId, 'is not a commit id'),
  since: time,
  until: time.nullable(),
  reason: text(4096),
  author: text(500),
  fields: z
    .array(
      z.strictObject({
        path: safePath,
        selector,
        held: text(256 * 1024).nullable(),
        secret: z.literal(true).exactOptional(),
      }),
    )
    .min(1)
    .max(20_000),
  taken: z
    .array(
      z.strictObject({
        adapter: z.string().regex(/^[a-z][a-z-]{0,40}$/),
        path: safePath,
        kind: z.enum(['line-end', 'above', 'value', 'entry', 'lines']),
        selector,
        took: text(64 * 1024),
        put: text(4096).exactOptional(),
        before: text(64 * 1024).exactOptional(),
        after: text(64 * 1024).exactOptional(),
        of: selector.exactOptional(),
      }),
    )
    .max(2000),
});

export type ParsedHold = { readonly hold: Hold } | { readonly problem: string };

/** A hold from its file, or what is wrong with it as the end of a sentence. Never throws. `path` names tenant, environment and request. */
export function parseHold(path: string, source: string): ParsedHold {
  if (source.length > MAX_LENGTH) return { problem: 'it is larger than 1 MiB' };
  const read = readValue(source);
  if ('problem' in read) return read;
  const parsed = shape.safeParse(read.value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = issue?.path.map(String).join('.') ?? '';
    const what = /^[a-z]/.test(issue?.message ?? '') ? issue?.message : 'is not as Backtrail writes it';
    return { problem: `${place === '' ? 'it' : clip(place)} ${what ?? ''}` };
  }
  const { version: _, request: requestId, scope, ...rest } = parsed.data;
  const [tenant, environment, service] = namesOf(path, scope);
  if (environment === undefined) return { problem: `it is of the scope ${JSON.stringify(clip(scope))}` };
  const of = { ...(tenant !== undefined && { tenant }), environment };
  if (path !== holdPath(of, requestId)) return { problem: `it is the file of ${requestId}` };
  return { hold: { ...rest, ...of, ...(service !== undefined && { service }), path, requestId } };
}

/** Tenant, environment and service of a scope that fits the folders of the path; nothing where it does not. */
function namesOf(path: string, scope: string): readonly (string | undefined)[] {
  const folders = path
    .slice(HOLDS.length + 1)
    .split('/')
    .slice(0, -1);
  const names = scope.split('/');
  const service = names[folders.length];
  const fits =
    (folders.length === 1 || folders.length === 2) &&
    folders.every((folder, index) => names[index] === folder) &&
    names.length <= folders.length + 1 &&
    service !== '';
  if (!fits) return [];
  return folders.length === 2 ? [folders[0], folders[1], service] : [undefined, folders[0], service];
}

const clip = (of: string) => (of.length > 100 ? `${of.slice(0, 100)}…` : of);

function readValue(source: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    const { bodies, aliases } = parseText(source);
    const [body, more] = bodies;
    if (body === undefined || more !== undefined) return { problem: 'it is not one YAML document' };
    if (aliases.size > 0) return { problem: 'it has aliases' };
    if (/(?:^|[{,\s"'?])(?:__proto__|constructor|prototype)["']?\s*:/m.test(source))
      return { problem: 'it has a key that is reserved' };
    return { value: body.document.toJS({ maxAliasCount: 0 }) };
  } catch (error) {
    if (refusalReason(error) !== null && error instanceof Error)
      return {
        problem: `${error.message.charAt(0).toLowerCase()}${error.message.slice(1).replace(/\.$/, '')}`,
      };
    return { problem: 'it cannot be read' };
  }
}
