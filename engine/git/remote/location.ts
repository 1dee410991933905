import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BacktrailError } from '../../model/index.ts';
import { shownAddress } from '../process/failure.ts';

/** What a user typed as the repository: a folder of this machine, or an address that git can fetch from. */
export type Location =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'remote'; readonly url: string };

const SCHEMES = new Set(['file:', 'http:', 'https:', 'ssh:', 'git:', 'git+ssh:']);

/** @throws REPOSITORY_UNKNOWN for what is neither, could be read as an option, or could run a program (`ext::`) */
export async function parseLocation(text: string): Promise<Location> {
  if (text === '' || text.startsWith('-') || text.includes('\0')) throw repositoryUnknown(text);
  const isUrl = URL_LIKE.test(text);
  const folder = resolve(text);
  const found = isUrl ? null : await stat(folder).catch(() => null);
  // A folder may have any name, even with a line break; an address has none.
  if (found?.isDirectory() === true) return { kind: 'folder', folder };
  if (/\p{Cc}/u.test(text)) throw repositoryUnknown(text, NOT_AN_ADDRESS);
  if (isUrl) return { kind: 'remote', url: checkedUrl(text) };
  if (found === null) return { kind: 'remote', url: checkedAddress(text) };
  throw repositoryUnknown(text);
}

const NOT_AN_ADDRESS = 'there is no such folder, and an address holds no control characters';

const URL_LIKE = /^[a-z][a-z0-9+.-]*:\/\//i;

/** A URL, or `host:path`. `::` would name a remote helper program (gitremote-helpers(7)). @throws REPOSITORY_UNKNOWN for anything else */
export function checkedAddress(text: string): string {
  if (URL_LIKE.test(text)) return checkedUrl(text);
  // With one slash git would take the scheme for a host.
  if (/^https?:/i.test(text))
    throw repositoryUnknown('https:…', 'an address of a server begins with https://');
  if (/^([\w.~-]+@)?[\w.][\w.-]*:(?!:)[^-:]/.test(text)) return text;
  throw repositoryUnknown(text);
}

function checkedUrl(text: string): string {
  const url = parsed(text);
  if (!SCHEMES.has(url.protocol))
    throw repositoryUnknown(text, `git does not fetch from ${url.protocol} addresses here`);
  if (url.hostname.startsWith('-') || url.username.startsWith('-')) throw repositoryUnknown(text);
  if (url.password !== '' && !url.protocol.startsWith('http'))
    throw repositoryUnknown(text, `${url.protocol} addresses take no password`);
  if (url.protocol === 'file:' && url.hostname !== '')
    throw repositoryUnknown(text, 'a file address names no host');
  return text;
}

function parsed(text: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw repositoryUnknown(text, 'it is not a valid address', cause);
  }
}

export function repositoryUnknown(
  location: string,
  why = 'there is no repository',
  cause?: unknown,
): BacktrailError {
  const shown = shownAddress(location).slice(0, 300);
  return new BacktrailError('REPOSITORY_UNKNOWN', `${JSON.stringify(shown)} cannot be opened: ${why}.`, {
    cause,
  });
}
