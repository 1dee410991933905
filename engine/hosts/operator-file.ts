/** A file of whoever runs the process, which a variable of the environment names: hosts or clusters, and what they are asked with. */
import { readFile, stat } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { BacktrailError } from '../model/index.ts';

const FILE_BYTES = 256 * 1024;
const SECRET_BYTES = 64 * 1024;

interface OperatorFile {
  /** For something that is wrong in it: `has an api for x that is not an https address`. */
  readonly refuse: (what: string) => BacktrailError;
  /** @throws INVALID_REQUEST where it cannot be read */
  read(path: string): Promise<string>;
  /** @throws INVALID_REQUEST where it does not have the form */
  parse<Value>(source: string, schema: z.ZodType<Value>): Value;
  /** The content of a file that holds a token. @throws INVALID_REQUEST, which never holds what is in the file */
  readonly readToken: (name: string, path: string) => Promise<string>;
  /** The content of another file that it names. `what`: `holds the key of the app for x`. @throws INVALID_REQUEST, which never holds what is in the file */
  readSecret(path: string, what: string): Promise<string>;
}

export function operatorFile({
  variable,
  hint,
}: {
  readonly variable: string;
  readonly hint: string;
}): OperatorFile {
  const refuse = (what: string) =>
    new BacktrailError('INVALID_REQUEST', `The file that ${variable} names ${what}.`, { hint });
  const readBounded = async (path: string, bytes: number, what: string) => {
    const fail = (why: string) =>
      new BacktrailError('INVALID_REQUEST', `The file that ${what} ${why}: ${path}.`, { hint });
    try {
      const { size } = await stat(path);
      if (size > bytes) throw fail(`is larger than ${bytes / 1024} KiB`);
      return await readFile(path, 'utf8');
    } catch (error) {
      if (error instanceof BacktrailError) throw error;
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      throw fail(`cannot be read (${code})`);
    }
  };
  return {
    refuse,
    read: (path) => readBounded(path, FILE_BYTES, `${variable} names`),
    parse(source, schema) {
      const document = parseDocument(source, { schema: 'core', logLevel: 'silent' });
      const [error] = document.errors;
      if (error) throw refuse(`is not YAML (line ${error.linePos?.[0].line ?? 1})`);
      const read = schema.safeParse(toPlain(document, refuse));
      if (read.success) return read.data;
      const [issue] = read.error.issues;
      throw refuse(issue ? describeIssue(issue) : 'does not have the form');
    },
    async readToken(name, path) {
      const token = (await readBounded(path, SECRET_BYTES, `holds the token for ${name}`)).trim();
      if (/^[\x21-\x7e]{1,4096}$/.test(token)) return token;
      throw new BacktrailError(
        'INVALID_REQUEST',
        `The file with the token for ${name} does not hold one token.`,
        { hint: 'Write the token alone into the file that `token` names.' },
      );
    },
    readSecret: (path, what) => readBounded(path, SECRET_BYTES, what),
  };
}

/** An address of an interface, without a slash at the end; null where it is not https (or http on loopback), or has anything but a path. */
export function apiAddress(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSafe =
    url !== null &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.hash === '';
  return isSafe ? url.href.replace(/\/+$/, '') : null;
}

const isLoopback = (hostname: string) =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(hostname);

function toPlain(document: ReturnType<typeof parseDocument>, refuse: OperatorFile['refuse']): unknown {
  try {
    return document.toJS({ maxAliasCount: 20 });
  } catch {
    throw refuse('has aliases that cannot be resolved');
  }
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.map((part) => shown(String(part))).join('.') || 'the file';
  if (issue.code === 'unrecognized_keys')
    return `has a key that is not known: ${shown(issue.keys[0] ?? '')} of ${path}`;
  if (issue.code === 'invalid_value') return `has a value that is not known at ${path}`;
  return `has a value of the wrong type at ${path}`;
}

/** Of a name in the file. */
export const shown = (text: string) => JSON.stringify(text.slice(0, 100)).slice(1, -1);
