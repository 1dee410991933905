/** The operator's file, which BACKTRAIL_HOSTS names: the hosts that may be asked, and with what. A repository has no say in it. */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { HOST_KINDS, type HostKind } from '../model/index.ts';
import { apiAddress, operatorFile, shown } from './operator-file.ts';

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

const NAME =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/;
const APP = /^([A-Za-z0-9.]{1,64}):([^\p{Cc}]+)$/u;
const HINT =
  'Write it as YAML: `github.example.com: { kind: github, token: FILE }`, or `app: ID:KEYFILE` in place of the token.';

const file = operatorFile({ variable: 'BACKTRAIL_HOSTS', hint: HINT });
const invalid = file.refuse;

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
export async function readHosts(path: string): Promise<ReadonlyMap<string, HostEntry>> {
  return parseHosts(await file.read(path), dirname(resolve(path)));
}

/**
 * `folder`: what paths in it are relative to. By name.
 *
 * @throws INVALID_REQUEST
 */
export function parseHosts(source: string, folder: string): ReadonlyMap<string, HostEntry> {
  const entries = new Map<string, HostEntry>();
  for (const [written, { kind: named, api, token, app, repositories = [] }] of Object.entries(
    file.parse(source, schema),
  )) {
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
export const readToken = (name: string, path: string): Promise<string> => file.readToken(name, path);

/** @throws INVALID_REQUEST, which never holds what is in the file */
export const readKey = (name: string, path: string): Promise<string> =>
  file.readSecret(path, `holds the key of the app for ${name}`);

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
  const address = apiAddress(api);
  if (address === null) throw invalid(`has an api for ${name} that is not an https address`);
  return address;
}
