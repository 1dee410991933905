/** The operator's file, which BACKTRAIL_HOSTS names: the hosts that may be asked, and with what. A repository has no say in it. */
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { BacktrailError, HOST_KINDS, type HostKind } from '../model/index.ts';

export type Credentials =
  | { readonly kind: 'token'; readonly file: string }
  | { readonly kind: 'app'; readonly id: string; readonly keyFile: string };

export interface HostEntry {
  /** As addresses name it, in lower case: `github.example.com`, `git.example.com:3000`. */
  readonly name: string;
  /** null: the repository's configuration says it. */
  readonly kind: HostKind | null;
  /** Without a slash at the end; null: where the kind has it. */
  readonly api: string | null;
  /** That a configuration may name although the address of its repository says another one; in lower case. */
  readonly repositories: readonly string[];
  readonly credentials: Credentials;
}

const FILE_BYTES = 256 * 1024;
const SECRET_BYTES = 64 * 1024;
const NAME =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/;
const APP = /^([A-Za-z0-9.]{1,64}):([^\p{Cc}]+)$/u;
const HINT =
  'Write it as YAML: `github.example.com: { kind: github, token: FILE }`, or `app: ID:KEYFILE` in place of the token.';

const text = z.string().min(1).max(4096);
const MOST_REPOSITORIES = 1000;
const schema = z.record(
  z.string(),
  z.strictObject({
    kind: z.enum(HOST_KINDS).optional(),
    api: text.optional(),
    token: text.optional(),
    app: text.optional(),
    repositories: z.array(text).max(MOST_REPOSITORIES).optional(),
  }),
);

/** Hosts whose kind is known. */
const KNOWN: Readonly<Record<string, HostKind>> = {
  'github.com': 'github',
  'gitlab.com': 'gitlab',
  'gitea.com': 'gitea',
  'codeberg.org': 'gitea',
};

/** @throws INVALID_REQUEST where the file cannot be read or does not have the form */
export async function readHosts(file: string): Promise<ReadonlyMap<string, HostEntry>> {
  return parseHosts(await readBounded(file, FILE_BYTES, 'BACKTRAIL_HOSTS names'), dirname(resolve(file)));
}

/**
 * `folder`: what paths in it are relative to. By name.
 *
 * @throws INVALID_REQUEST
 */
export function parseHosts(source: string, folder: string): ReadonlyMap<string, HostEntry> {
  const document = parseDocument(source, { schema: 'core', logLevel: 'silent' });
  const [error] = document.errors;
  if (error) throw invalid(`is not YAML (line ${error.linePos?.[0].line ?? 1})`);
  const read = schema.safeParse(toPlain(document));
  if (!read.success) {
    const [issue] = read.error.issues;
    throw invalid(issue ? describeIssue(issue) : 'does not have the form');
  }
  const entries = new Map<string, HostEntry>();
  for (const [written, { kind: named, api, token, app, repositories = [] }] of Object.entries(read.data)) {
    const name = written.toLowerCase();
    if (!NAME.test(name)) throw invalid(`names a host that is none: ${shown(written)}`);
    if (entries.has(name)) throw invalid(`names ${name} twice`);
    const kind = named ?? (Object.hasOwn(KNOWN, name) ? (KNOWN[name] ?? null) : null);
    if (app !== undefined && kind !== 'github')
      throw invalid(`has an app for ${name}, which only github has`);
    entries.set(name, {
      name,
      kind,
      api: api === undefined ? null : readApi(name, api),
      repositories: repositories.map((repository) => repository.toLowerCase()),
      credentials: readCredentials(name, folder, token, app),
    });
  }
  return entries;
}

/**
 * The content of a file that holds a token.
 *
 * @throws INVALID_REQUEST, which never holds what is in the file
 */
export async function readToken(name: string, file: string): Promise<string> {
  const token = (await readBounded(file, SECRET_BYTES, `holds the token for ${name}`)).trim();
  if (!/^[\x21-\x7e]{1,4096}$/.test(token))
    throw new BacktrailError(
      'INVALID_REQUEST',
      `The file with the token for ${name} does not hold one token.`,
      {
        hint: 'Write the token alone into the file that `token` names.',
      },
    );
  return token;
}

/** @throws INVALID_REQUEST, which never holds what is in the file */
export const readKey = (name: string, file: string): Promise<string> =>
  readBounded(file, SECRET_BYTES, `holds the key of the app for ${name}`);

async function readBounded(file: string, bytes: number, what: string): Promise<string> {
  const refuse = (why: string) =>
    new BacktrailError('INVALID_REQUEST', `The file that ${what} ${why}: ${file}.`, { hint: HINT });
  try {
    const { size } = await stat(file);
    if (size > bytes) throw refuse(`is larger than ${bytes / 1024} KiB`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof BacktrailError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw refuse(`cannot be read (${code})`);
  }
}

function toPlain(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 20 });
  } catch {
    throw invalid('has aliases that cannot be resolved');
  }
}

function readCredentials(
  name: string,
  folder: string,
  token: string | undefined,
  app: string | undefined,
): Credentials {
  if ((token === undefined) === (app === undefined)) throw invalid(`needs one of token and app for ${name}`);
  if (token !== undefined) return { kind: 'token', file: resolve(folder, token) };
  const [, id, keyFile] = APP.exec(app ?? '') ?? [];
  if (id === undefined || keyFile === undefined)
    throw invalid(`has an app for ${name} that is not ID:KEYFILE`);
  return { kind: 'app', id, keyFile: resolve(folder, keyFile) };
}

function readApi(name: string, api: string): string {
  const url = URL.canParse(api) ? new URL(api) : null;
  const isSafe =
    url !== null &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.hash === '';
  if (!isSafe) throw invalid(`has an api for ${name} that is not an https address`);
  return url.href.replace(/\/+$/, '');
}

const isLoopback = (hostname: string) =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(hostname);

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.map((part) => shown(String(part))).join('.') || 'the file';
  if (issue.code === 'unrecognized_keys')
    return `has a key that is not known: ${shown(issue.keys[0] ?? '')} of ${path}`;
  if (issue.code === 'invalid_value') return `has a value that is not known at ${path}`;
  return `has a value of the wrong type at ${path}`;
}

const shown = (text: string) => JSON.stringify(text.slice(0, 100)).slice(1, -1);

const invalid = (what: string) =>
  new BacktrailError('INVALID_REQUEST', `The file that BACKTRAIL_HOSTS names ${what}.`, { hint: HINT });
