/** Asks one registry for one manifest (OCI Distribution Specification 1.1, "Checking if content exists in the registry"; token flow: distribution.github.io/distribution, "Token Authentication"). */
import { isIP } from 'node:net';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import type { ImageAnswer } from '../model/index.ts';
import type { Credentials } from './credentials.ts';
import { isPrivateAddress, PrivateAddress } from './connection.ts';
import type { ImageReference } from './reference.ts';

export interface Asking {
  readonly image: ImageReference;
  /** `https://registry.example.com:5000`. */
  readonly origin: string;
  readonly credentials: () => Promise<Credentials | null>;
  /** How a host (with its port) is reached; `isListed` hosts may be in a private network. */
  readonly dispatcher: (host: string) => { readonly dispatcher: Dispatcher; readonly isListed: boolean };
  readonly signal: AbortSignal;
}

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const MOST_REDIRECTS = 3;
const TOKEN_BYTES = 256 * 1024;
const tokenSchema = z
  .object({ token: z.string().optional(), access_token: z.string().optional() })
  .transform(({ token, access_token }) => token ?? access_token ?? '');

/** @throws Error with a clause that says why there is no answer; it holds no secret */
export async function askManifest(asking: Asking): Promise<ImageAnswer> {
  const { image, origin } = asking;
  const url = new URL(`/v2/${image.name}/manifests/${image.digest ?? image.tag}`, origin);
  const first = await head(asking, url);
  if (first.status !== 401) return answerOf(first.status, true);
  const credentials = await asking.credentials();
  const authorization = await authorize(asking, first.challenge, credentials);
  const second = await head(asking, url, authorization);
  // To whoever has no credentials, some registries say of a private image that there is none.
  return answerOf(second.status, credentials !== null);
}

function answerOf(status: number, isAccepted: boolean): ImageAnswer {
  if (status === 200) return { state: 'present' };
  if (status === 404 && isAccepted) return { state: 'missing' };
  if (status === 404 || status === 401 || status === 403)
    return { state: 'unchecked', reason: 'the registry wants credentials that are allowed to read it' };
  if (status === 429) return { state: 'unchecked', reason: 'the registry allows no more questions for now' };
  return { state: 'unchecked', reason: `the registry answers with status ${status}` };
}

interface Answered {
  readonly status: number;
  /** `WWW-Authenticate`. */
  readonly challenge: string;
}

/** Follows redirects; credentials go to the registry alone. */
async function head(asking: Asking, from: URL, authorization?: string): Promise<Answered> {
  let url = from;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const isOwn = url.origin === from.origin;
    const { statusCode, headers, body } = await send(asking, 'HEAD', url, {
      accept: ACCEPT,
      ...(isOwn && authorization !== undefined && { authorization }),
    });
    await body.dump();
    if (![301, 302, 303, 307, 308].includes(statusCode))
      return { status: statusCode, challenge: isOwn ? one(headers['www-authenticate']) : '' };
    url = safeUrl(one(headers['location']), url);
  }
  throw new Error('the registry redirects without end');
}

async function authorize(
  asking: Asking,
  challenge: string,
  credentials: Credentials | null,
): Promise<string> {
  if (/^basic\b/i.test(challenge)) {
    if (credentials === null || !('username' in credentials))
      throw new Error('the registry wants credentials, and there are none for it');
    return basic(credentials);
  }
  const realm = parameter(challenge, 'realm');
  if (!/^bearer\b/i.test(challenge) || realm === '')
    throw new Error('the registry wants a login that is not known here');
  const url = safeUrl(realm, new URL(asking.origin));
  const service = parameter(challenge, 'service');
  const scope = `repository:${asking.image.name}:pull`;
  return `Bearer ${await askToken(asking, url, { service, scope }, credentials)}`;
}

async function askToken(
  asking: Asking,
  url: URL,
  { service, scope }: { readonly service: string; readonly scope: string },
  credentials: Credentials | null,
): Promise<string> {
  const isRefresh = credentials !== null && 'identityToken' in credentials;
  const form = new URLSearchParams({ ...(service !== '' && { service }), scope });
  if (isRefresh) {
    form.set('grant_type', 'refresh_token');
    form.set('client_id', 'backtrail');
    form.set('refresh_token', credentials.identityToken);
  } else for (const [name, value] of form) url.searchParams.set(name, value);
  const answer = isRefresh
    ? await send(
        asking,
        'POST',
        url,
        { 'content-type': 'application/x-www-form-urlencoded' },
        form.toString(),
      )
    : await send(
        asking,
        'GET',
        url,
        credentials && 'username' in credentials ? { authorization: basic(credentials) } : {},
      );
  if (answer.statusCode !== 200) {
    await answer.body.dump();
    throw new Error(`the registry's token service answers with status ${answer.statusCode}`);
  }
  const text = await readLimited(answer.body);
  try {
    const token = tokenSchema.parse(JSON.parse(text));
    if (/^[\x21-\x7e]+$/.test(token)) return token;
  } catch {
    // As below.
  }
  throw new Error("the registry's token service gives no token");
}

async function readLimited(body: Dispatcher.ResponseData['body']): Promise<string> {
  let text = '';
  body.setEncoding('utf8');
  for await (const part of body) {
    text += String(part);
    if (text.length > TOKEN_BYTES) throw new Error("the registry's token service gives no token");
  }
  return text;
}

async function send(
  { dispatcher, signal }: Asking,
  method: 'HEAD' | 'GET' | 'POST',
  url: URL,
  headers: Readonly<Record<string, string>>,
  body?: string,
) {
  const way = dispatcher(url.host);
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  if (!way.isListed && isIP(hostname) !== 0 && isPrivateAddress(hostname)) throw new PrivateAddress(url.host);
  // Loaded late, as most commands ask no registry.
  const { request } = await import('undici');
  return request(url, {
    method,
    headers: { 'user-agent': 'backtrail', ...headers },
    dispatcher: way.dispatcher,
    signal,
    ...(body !== undefined && { body }),
  });
}

/** Never from https to http, which would show tokens to the network. */
function safeUrl(text: string, from: URL): URL {
  const url = URL.canParse(text, from.href) ? new URL(text, from) : null;
  const isSafe =
    url !== null &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && from.protocol === 'http:')) &&
    url.username === '' &&
    url.password === '';
  if (!isSafe) throw new Error('the registry names an address that is not safe');
  return url;
}

/** A parameter of a challenge (RFC 9110, section 11.2): quoted, or a token. */
function parameter(challenge: string, name: string): string {
  const [, quoted, token] =
    new RegExp(`[\\s,]${name}=(?:"([^"\\\\]{0,2000})"|([^\\s",]{1,2000}))`, 'i').exec(
      challenge.slice(0, 8000),
    ) ?? [];
  return quoted ?? token ?? '';
}

const one = (header: string | string[] | undefined) => (Array.isArray(header) ? header[0] : header) ?? '';

const basic = ({ username, password }: { readonly username: string; readonly password: string }) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
