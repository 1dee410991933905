import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pathKey as plainPath, withoutSuffix } from '../../record/place.ts';
import { splitCredentials } from './credentials.ts';

const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  'http:': '80',
  'https:': '443',
  'ssh:': '22',
  'git:': '9418',
};

/**
 * One text for every spelling of an address that surely means the same repository: links, `file://`, default ports, the case of scheme and
 * host, slashes, `.git` at the end, credentials of http. What a server may tell apart stays: the user of ssh, the case of a path, a query.
 * `address` is what git fetches from, or the folder of a git directory. Mirrors, their locks and what was seen of ledgers go by it.
 */
export function addressKey(address: string): string {
  const { address: plain } = splitCredentials(address);
  if (plain.startsWith('/') || /^file:/i.test(plain)) return `file:${folderKey(plain)}`;
  const scp = /^((?:[^@/:]+@)?)([^@/:[\]]+):(?!\/\/)(.*)$/s.exec(plain);
  if (scp !== null && !/^[a-z][a-z0-9+.-]*:\/\//i.test(plain)) {
    const [, user = '', host = '', path = ''] = scp;
    // Without a slash it lies in the user's home, which an address with ssh:// does not.
    return path.startsWith('/')
      ? `ssh://${user}${host.toLowerCase()}${pathKey(path)}`
      : `${user}${host.toLowerCase()}:${pathKey(path)}`;
  }
  if (!URL.canParse(plain)) return plain;
  const url = new URL(plain);
  const scheme = url.protocol.replace(/^git\+/, '');
  const user = url.username === '' ? '' : `${url.username}@`;
  const port = url.port === '' || url.port === DEFAULT_PORTS[scheme] ? '' : `:${url.port}`;
  return `${scheme}//${user}${url.hostname.toLowerCase()}${port}${pathKey(url.pathname)}${url.search}`;
}

const pathKey = (path: string) => withoutSuffix(plainPath(path));

/** The git directory that git would find there; the folder itself, without links as far as it is there, where it finds none. */
function folderKey(address: string): string {
  const folder = resolve(address.startsWith('/') ? address : pathOf(address));
  const found = [folder, join(folder, '.git'), `${folder}.git`].find(isGitDirectory);
  return realPath(found ?? folder);
}

function pathOf(address: string): string {
  try {
    const url = new URL(address);
    if (url.hostname.toLowerCase() === 'localhost') url.hostname = '';
    return fileURLToPath(url);
  } catch {
    return address.replace(/^file:\/*/i, '/');
  }
}

/** In a linked worktree `.git` is a file. */
const isGitDirectory = (folder: string) =>
  ['HEAD', 'objects', 'refs'].every((name) => existsSync(join(folder, name)));

function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
