import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BacktrailError } from '../../model/index.ts';
import { shownAddress } from '../process/failure.ts';

/** What a user typed as the repository: a folder of this machine, or an address that git can fetch from. */
export type Location =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'remote'; readonly url: string };

const SCHEMES = new Set(['file:', 'http:', 'https:', 'ssh:', 'git:', 'git+ssh:']);

/** REPOSITORY_UNKNOWN for what is neither, or could be read as an option or run a program (`ext::`). */
export async function parseLocation(text: string): Promise<Location> {
  if (text === '' || text.startsWith('-') || text.includes('\0')) throw unknown(text);
  const isUrl = URL_LIKE.test(text);
  const folder = resolve(text);
  const found = isUrl ? null : await stat(folder).catch(() => null);
  // A folder may have any name, a line break in it as well; no address has one.
  if (found?.isDirectory() === true) return { kind: 'folder', folder };
  if (/\p{Cc}/u.test(text)) throw unknown(text, NOT_AN_ADDRESS);
  if (isUrl) return { kind: 'remote', url: checkedUrl(text) };
  if (found === null) return { kind: 'remote', url: checkedAddress(text) };
  throw unknown(text);
}

const NOT_AN_ADDRESS = 'there is no such folder, and an address holds no control characters';

const URL_LIKE = /^[a-z][a-z0-9+.-]*:\/\//i;

/** A URL, or `host:path`; REPOSITORY_UNKNOWN for anything else. As git has it, `::` names a helper program. */
export function checkedAddress(text: string): string {
  if (URL_LIKE.test(text)) return checkedUrl(text);
  // With one slash the scheme would be taken for the name of a host.
  if (/^https?:/i.test(text)) throw unknown('https:…', 'an address of a server begins with https://');
  if (/^([\w.~-]+@)?[\w.][\w.-]*:(?!:)[^-:]/.test(text)) return text;
  throw unknown(text);
}

function checkedUrl(text: string): string {
  const url = parsed(text);
  if (!SCHEMES.has(url.protocol))
    throw unknown(text, `git does not fetch from ${url.protocol} addresses here`);
  if (url.hostname.startsWith('-') || url.username.startsWith('-')) throw unknown(text);
  if (url.password !== '' && !url.protocol.startsWith('http'))
    throw unknown(text, `${url.protocol} addresses take no password`);
  if (url.protocol === 'file:' && url.hostname !== '') throw unknown(text, 'a file address names no host');
  return text;
}

function parsed(text: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw unknown(text, 'it is no address', cause);
  }
}

export function unknown(location: string, why = 'there is no repository', cause?: unknown): BacktrailError {
  const shown = shownAddress(location).slice(0, 300);
  return new BacktrailError('REPOSITORY_UNKNOWN', `${JSON.stringify(shown)} cannot be opened: ${why}.`, {
    cause,
  });
}
