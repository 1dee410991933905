import { BacktrailError } from '../../engine/model/index.ts';

/** What REDIS_URL says. `nodes` are those that the address names: of a cluster or of Sentinel, some are enough. */
export interface RedisAddress {
  readonly kind: 'single' | 'cluster' | 'sentinel';
  readonly tls: boolean;
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly username?: string;
  readonly password?: string;
  /** Of the group that the Sentinels watch; empty without Sentinel. */
  readonly group: string;
  /** Where the Sentinels themselves want a password. */
  readonly sentinelLogin: { readonly sentinelUsername?: string; readonly sentinelPassword?: string };
  /** `host:port`, several separated by commas, for messages and logs: never with credentials. */
  readonly shown: string;
}

const FORM = /^redis(s?)(-cluster|-sentinel)?:\/\/(?:(.*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/s;
const NODE = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i;
const GROUP = /^[\w.-]+$/;
const HINTS = {
  '': 'Write it as redis://HOST:PORT, redis-cluster://HOST:PORT,HOST:PORT or redis-sentinel://HOST:PORT,HOST:PORT/NAME, and rediss… with TLS; REDIS_URL names it.',
  '-cluster': 'Write it as redis-cluster://USER:PASSWORD@HOST:PORT,HOST:PORT; REDIS_URL names it.',
  '-sentinel':
    'Write it as redis-sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/NAME, where NAME is what the Sentinels call the group, and ?sentinelPassword=… at its end where they want one themselves; REDIS_URL names it.',
} as const;
const KINDS = { '': 'single', '-cluster': 'cluster', '-sentinel': 'sentinel' } as const;

/** @throws INVALID_REQUEST where it is not an address of Redis; the message never repeats it */
export function parseRedisAddress(redisUrl: string): RedisAddress {
  const [matched, tls, suffix = '', login, hosts = '', path = '', query = ''] = FORM.exec(redisUrl) ?? [];
  const form = suffix === '-cluster' || suffix === '-sentinel' ? suffix : '';
  const kind = KINDS[form];
  const invalid = () =>
    new BacktrailError('INVALID_REQUEST', 'The address of Redis is not valid.', { hint: HINTS[form] });
  const nodes = hosts.split(',').map((text) => nodeOf(text, kind === 'sentinel' ? 26379 : 6379));
  const group = kind === 'sentinel' ? path : '';
  const valid = nodes.flatMap((node) => (node === null ? [] : [node]));
  if (matched === undefined || valid.length < nodes.length) throw invalid();
  if (kind === 'single' && (nodes.length > 1 || !URL.canParse(redisUrl))) throw invalid();
  if (kind === 'cluster' && path !== '') throw invalid();
  if (kind === 'sentinel' && !GROUP.test(group)) throw invalid();
  const credentials = credentialsOf(login);
  const sentinelLogin = kind === 'single' ? {} : sentinelLoginOf(query, kind);
  if (credentials === null || sentinelLogin === null) throw invalid();
  const shown = valid.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  return { kind, tls: tls === 's', nodes: valid, ...credentials, group, sentinelLogin, shown };
}

function nodeOf(text: string, usual: number): RedisAddress['nodes'][number] | null {
  const [, name, digits] = NODE.exec(text) ?? [];
  const port = digits === undefined ? usual : Number(digits);
  if (name === undefined || port < 1 || port > 65_535) return null;
  return { host: name.replace(/^\[|\]$/g, ''), port };
}

/** `user:password`, `:password` or `user`, percent-encoded; null where the encoding is wrong. */
function credentialsOf(login: string | undefined): Pick<RedisAddress, 'username' | 'password'> | null {
  const [, user = '', password = ''] = /^([^:]*):?(.*)$/s.exec(login ?? '') ?? [];
  try {
    return {
      ...(user !== '' && { username: decodeURIComponent(user) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
    };
  } catch {
    return null;
  }
}

/** Null for a query of anything else. */
function sentinelLoginOf(query: string, kind: 'cluster' | 'sentinel'): RedisAddress['sentinelLogin'] | null {
  const { sentinelUsername, sentinelPassword, ...others } = Object.fromEntries(new URLSearchParams(query));
  if (kind === 'cluster' ? query !== '' : Object.keys(others).length > 0) return null;
  return { ...(sentinelUsername && { sentinelUsername }), ...(sentinelPassword && { sentinelPassword }) };
}
