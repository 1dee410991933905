import { BacktrailError, type HostKind, type HostNaming } from '../model/index.ts';
import type { Credentials, HostEntry } from './operator.ts';

/** Where the pull requests of a repository are. */
export interface Place {
  readonly kind: HostKind;
  /** `github.example.com`. */
  readonly name: string;
  /** `owner/name`. */
  readonly repository: string;
  /** The one address that the credentials go to, without a slash at the end. */
  readonly api: string;
  readonly credentials: Credentials;
}

interface Remote {
  /** In lower case, without a port. */
  readonly hostname: string;
  /** '' where the address names none, or its scheme's own. */
  readonly port: string;
  readonly isWeb: boolean;
  /** Without slashes around it, and without `.git`. */
  readonly path: string;
}

/** ssh over the port of https: docs.github.com, "Using SSH over the HTTPS port"; about.gitlab.com has the other. */
const ALIASES: Readonly<Record<string, string>> = {
  'ssh.github.com': 'github.com',
  'altssh.gitlab.com': 'gitlab.com',
};

const SEGMENT = /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/;
const LONGEST = 512;
const MOST_GROUPS = 21;

/**
 * What a remote's address names: https, ssh, or `user@host:path`. A user or a password in it is left out.
 *
 * @throws HOST_NOT_ALLOWED for a host that the operator does not list, an address without a host, or a repository that neither the address nor the
 *   operator names; CONFIG_INVALID and INVALID_REQUEST where no repository or no kind is named
 */
export function findPlace(
  address: string,
  naming: HostNaming,
  entries: ReadonlyMap<string, HostEntry>,
): Place {
  const remote = parseRemote(address);
  if (remote === null)
    throw new BacktrailError('HOST_NOT_ALLOWED', 'The address of the repository names no code host.');
  const entry = findEntry(remote, entries);
  if (entry === null)
    throw new BacktrailError(
      'HOST_NOT_ALLOWED',
      `The operator does not list the code host ${nameOf(remote)}.`,
    );
  const kind = kindOf(entry, naming);
  const api = entry.api ?? apiOf(entry.name, kind);
  const own = withoutRoot(remote, api, entry.name);
  const repository = naming.repository ?? own;
  if (!isRepository(repository, kind))
    throw naming.repository === null
      ? new BacktrailError('INVALID_REQUEST', `The address names no repository of ${entry.name}.`, {
          hint: 'Name it in the configuration: `host: { repository: owner/name }`.',
        })
      : new BacktrailError('CONFIG_INVALID', '`host.repository` is not the name of a repository.', {
          hint: 'Write owner/name, with all groups for GitLab.',
        });
  const asked = repository.toLowerCase();
  // The token may be good for more than this repository, and whoever writes the configuration need not be its owner.
  if (asked !== own.toLowerCase() && !entry.repositories.includes(asked))
    throw new BacktrailError(
      'HOST_NOT_ALLOWED',
      `\`host.repository\` is ${repository}, and the address of the repository says otherwise: the operator does not list it for ${entry.name}.`,
      {
        hint: `Take \`host.repository\` out of the configuration; or list it in the file that BACKTRAIL_HOSTS names: \`repositories: [${repository}]\`.`,
      },
    );
  return { kind, name: entry.name, repository, api, credentials: entry.credentials };
}

function parseRemote(address: string): Remote | null {
  if (address.length > LONGEST || /[\p{Cc}\s\\]/u.test(address)) return null;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) return parseUrl(address);
  const [, host, path] = /^(?:[^@/:]+@)?([^@/:[\]]+):(?!\/\/)(.+)$/.exec(address) ?? [];
  if (host === undefined || path === undefined) return null;
  return { hostname: aliasOf(host.toLowerCase()), port: '', isWeb: false, path: trimPath(path) };
}

function parseUrl(address: string): Remote | null {
  const plain = address.replace(/^git\+(?=ssh:|https?:)|^ssh\+git:/i, (found) =>
    found.toLowerCase() === 'ssh+git:' ? 'ssh:' : '',
  );
  if (!URL.canParse(plain)) return null;
  const url = new URL(plain);
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  if ((!isWeb && url.protocol !== 'ssh:') || url.hostname === '') return null;
  const port = !isWeb && url.port === '22' ? '' : url.port;
  const hostname = aliasOf(url.hostname.toLowerCase());
  // As it is written: a parser resolves `..`, and git asks for what is written.
  const path = plain.replace(/^[^:]+:\/\/[^/?#]*/, '');
  return { hostname, port, isWeb, path: trimPath(path) };
}

const aliasOf = (hostname: string) =>
  Object.hasOwn(ALIASES, hostname) ? (ALIASES[hostname] ?? '') : hostname;

const trimPath = (path: string) => path.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '');

const nameOf = ({ hostname, port, isWeb }: Remote) =>
  (isWeb && port !== '' ? `${hostname}:${port}` : hostname).replace(/[^a-z0-9.:[\]-]/g, '?');

/** The port of ssh says nothing of the port that the host's pages have. */
function findEntry(remote: Remote, entries: ReadonlyMap<string, HostEntry>): HostEntry | null {
  const { hostname, port, isWeb } = remote;
  const exact = entries.get(port === '' ? hostname : `${hostname}:${port}`);
  if (exact || isWeb) return exact ?? null;
  const plain = entries.get(hostname);
  if (plain) return plain;
  const [only, ...others] = [...entries.values()].filter(({ name }) => name.startsWith(`${hostname}:`));
  return only !== undefined && others.length === 0 ? only : null;
}

function kindOf(entry: HostEntry, naming: HostNaming): HostKind {
  if (entry.kind !== null && naming.kind !== null && entry.kind !== naming.kind)
    throw new BacktrailError(
      'CONFIG_INVALID',
      `\`host.kind\` is ${naming.kind}, and the operator says that ${entry.name} is ${entry.kind}.`,
    );
  const kind = entry.kind ?? naming.kind;
  if (kind === null)
    throw new BacktrailError('INVALID_REQUEST', `It is not known what kind of code host ${entry.name} is.`, {
      hint: 'Name it in the file that BACKTRAIL_HOSTS names, for example `kind: gitlab`, or as `host.kind` in the configuration.',
    });
  return kind;
}

/** `*.ghe.com`: GitHub Enterprise Cloud with data residency. */
function apiOf(name: string, kind: HostKind): string {
  if (kind !== 'github') return `https://${name}/api/${kind === 'gitlab' ? 'v4' : 'v1'}`;
  return name === 'github.com' || name.endsWith('.ghe.com')
    ? `https://api.${name}`
    : `https://${name}/api/v3`;
}

/** A host below a path (`https://example.com/gitlab/api/v4`) has its repositories below it as well. */
function withoutRoot({ path, isWeb }: Remote, api: string, name: string): string {
  const { host, pathname } = new URL(api);
  const root = pathname.replace(/\/api\/v[0-9]+$/, '').replace(/^\//, '');
  return isWeb && host === name && root !== '' && path.startsWith(`${root}/`)
    ? path.slice(root.length + 1)
    : path;
}

function isRepository(repository: string, kind: HostKind): boolean {
  const parts = repository.split('/');
  const isDeep = kind === 'gitlab' ? parts.length >= 2 && parts.length <= MOST_GROUPS : parts.length === 2;
  return (
    isDeep &&
    repository.length <= LONGEST &&
    parts.every((part) => SEGMENT.test(part) && !/^\.{1,2}$|\.git$/i.test(part))
  );
}
