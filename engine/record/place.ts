/** Where a request and its votes are for, as text: which addresses name one repository, however they are written. */
import type { VotePlace } from '../model/index.ts';

/** What votes have to be for. */
export interface Home {
  /** Where the configuration says that the repository is at home; empty: it does not say. */
  readonly repositories: readonly string[];
  /** The branch that is rolled back, as it is named there; null: any. */
  readonly branch: string | null;
}

/**
 * Whether something of the ledger was made for this place. What names no place was made for none: it counts where the configuration names none,
 * and nowhere else.
 */
export function isFor({ repositories, branch }: Home, place: VotePlace | undefined): boolean {
  if (place === undefined) return repositories.length === 0;
  if (branch !== null && place.branch !== branch) return false;
  const key = repositoryKey(place.repository);
  return key !== null && repositories.some((repository) => repositoryKey(repository) === key);
}

/** Characters of an address. */
export const LONGEST_ADDRESS = 500;

const DEFAULT_PORTS: Readonly<Record<string, string>> = { https: '443', http: '80', ssh: '22', git: '9418' };

/** The schemes that git has other names for. */
const SCHEMES: Readonly<Record<string, string>> = {
  'git+ssh': 'ssh',
  'ssh+git': 'ssh',
  'git+https': 'https',
  'git+http': 'http',
};

const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;
const HOST = /^(?:\[[0-9a-f:.]+\]|[\p{L}\p{N}_][\p{L}\p{N}_.-]*)$/iu;
const SCP = /^(?:([^@/:[\]]+)@)?(\[[^\]]+\]|[^@/:[\]]+):(?!\/\/)(.+)$/su;

/**
 * One text for all spellings of an address: without scheme, user, the port that its scheme has anyway, and `.git`; the host in lower case.
 * A local path begins with `file:`. null for what names no repository. It goes by the text alone, and says the same on every machine.
 */
export function repositoryKey(address: string): string | null {
  if (address.length > LONGEST_ADDRESS || UNPRINTABLE.test(address)) return null;
  if (isLocal(address)) return folderKey(address);
  if (/[\s\\?#]/u.test(address)) return null;
  const [, named, rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/isu.exec(address) ?? [];
  if (named !== undefined) return urlKey(named.toLowerCase(), rest);
  const [, , host, path] = SCP.exec(address) ?? [];
  if (host !== undefined && path !== undefined) return keyOf(host, '', path);
  const slash = address.indexOf('/');
  return slash < 0 ? null : keyOf(address.slice(0, slash), '', address.slice(slash));
}

const isLocal = (address: string) => address.startsWith('/') || /^file:/i.test(address);

function urlKey(named: string, rest: string): string | null {
  const scheme = SCHEMES[named] ?? named;
  const standard = DEFAULT_PORTS[scheme];
  if (standard === undefined) return null;
  const [authority = ''] = /^[^/]*/.exec(rest) ?? [];
  const [, host, digits = ''] =
    /^(\[[^\]]*\]|[^:]*)(?::(\d{0,5}))?$/.exec(authority.slice(authority.lastIndexOf('@') + 1)) ?? [];
  if (host === undefined) return null;
  const port = digits === '' ? standard : String(Number(digits));
  return keyOf(host, port === standard ? '' : `:${port}`, rest.slice(authority.length));
}

function keyOf(host: string, port: string, path: string): string | null {
  const plain = withoutSuffix(pathKey(path).replace(/^\//, ''));
  const isPath = plain !== '' && plain.split('/').every((name) => !/^\.{0,2}$/.test(name));
  return isPath && HOST.test(host) ? `${host.toLowerCase()}${port}/${plain}` : null;
}

/** A path of an address, without what means nothing in it: encoded letters, doubled slashes, a slash at the end. */
export function pathKey(path: string): string {
  const plain = path.replace(/%[0-9a-f]{2}/gi, (code) => {
    const character = String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : code.toUpperCase();
  });
  return plain.replace(/\/{2,}/g, '/').replace(/\/$/, '');
}

export const withoutSuffix = (path: string) => path.replace(/(?<=[^/])\.git$/, '');

/** Without `.` and `..`, as a shell would take them, and without the `.git` of a worktree. */
function folderKey(address: string): string | null {
  const path = address.startsWith('/') ? address : folderOf(address);
  const names: string[] = [];
  for (const name of (path ?? '').split('/'))
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  if (names.at(-1) === '.git') names.pop();
  return names.length === 0 ? null : `file:/${withoutSuffix(names.join('/'))}`;
}

/** `file:///srv/git`, `file://localhost/srv/git`. */
function folderOf(address: string): string | null {
  const [, path] = /^file:(?:\/\/(?:localhost)?(?=\/)|(?!\/\/))(\/[^?#]*)$/isu.exec(address) ?? [];
  try {
    return path === undefined ? null : decodeURIComponent(path);
  } catch {
    return null;
  }
}

/** Why the configuration cannot name a repository so, as a sentence; null where it can. */
export function repositoryProblem(address: string): string | null {
  if (UNPRINTABLE.test(address)) return 'An address is one line, all of which can be seen.';
  if (/^(?:\.|~)/.test(address)) return 'A local path must be absolute.';
  const [, user = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^/]*)@/i.exec(address) ?? [];
  if (user.includes(':'))
    return 'Write the address without a password: whoever may read the branch reads it.';
  if (/^[^@/:]+:\d+(?:\/|$)/.test(address))
    return 'Write a port with its scheme, as in https://git.example.com:8443/acme/config.';
  if (repositoryKey(address) !== null) return null;
  return 'Write it as git.example.com/acme/config, as an address that git takes, or as an absolute path.';
}
