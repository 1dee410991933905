/** Which addresses are sent to: a name that somebody else controls must not lead to what only this machine reaches. */
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Of no use to anybody, or of the machine's own cloud (`169.254.169.254`, `168.63.129.16` of Azure): never. */
const NEVER = blockList([
  ['0.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['fe80::', 10],
  ['ff00::', 8],
  ['fd00:ec2::254', 128],
  ['fd20:ce::254', 128],
]);
/** Only where the operator says so. */
const PRIVATE = blockList([
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['::1', 128],
  ['fc00::', 7],
]);
/** Of the sixth version: what is in use on the internet, but for what stands for other addresses or for none. */
const GLOBAL = blockList([['2000::', 3]]);
const NOT_GLOBAL = blockList([
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);

/** `allowPrivate`: whether one of a private network, or of this machine, will do. */
export function isAllowedAddress(address: string, allowPrivate: boolean): boolean {
  const embedded = embeddedAddress(address);
  const own = embedded ?? address;
  const family = isIP(own) === 4 ? 'ipv4' : isIP(own) === 6 ? 'ipv6' : null;
  if (family === null || NEVER.check(own, family)) return false;
  if (PRIVATE.check(own, family)) return allowPrivate;
  return family === 'ipv4' || (GLOBAL.check(own, family) && !NOT_GLOBAL.check(own, family));
}

/** Of the fourth version within one of the sixth: `::ffff:0:0/96`, and `64:ff9b::/96` of translators. */
function embeddedAddress(address: string): string | null {
  if (isIP(address) !== 6) return null;
  // In the form that URL gives every address of the sixth version.
  const host = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname;
  const [, high = '', low = ''] =
    /^\[(?:::ffff|64:ff9b:):([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(host) ?? [];
  if (high === '') return null;
  const bytes = [high, low].flatMap((part) => [
    Number.parseInt(part, 16) >> 8,
    Number.parseInt(part, 16) & 255,
  ]);
  return bytes.join('.');
}

/** The address that a host of a URL is; null for a name. */
export function addressOfHost(hostname: string): string | null {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) === 0 ? null : bare;
}

interface Resolved {
  readonly address: string;
  readonly family: number;
}
export type Resolve = (hostname: string) => Promise<readonly Resolved[]>;

export const REFUSED = 'ADDRESS_REFUSED';

/** What a connection asks for addresses: those that it gets were looked at, and no other one is connected to. */
export function guardedLookup(resolve: Resolve, allowPrivate: boolean): LookupFunction {
  return (hostname, options, done) => {
    const fail = (error: unknown) => done(error instanceof Error ? error : new Error(REFUSED), '', 0);
    resolve(hostname).then((found) => {
      const [first] = found;
      if (first === undefined || !found.every(({ address }) => isAllowedAddress(address, allowPrivate)))
        fail(Object.assign(new Error(REFUSED), { code: REFUSED }));
      else if (options.all) done(null, [...found]);
      else done(null, first.address, first.family);
    }, fail);
  };
}

function blockList(ranges: readonly (readonly [address: string, bits: number])[]): BlockList {
  const list = new BlockList();
  for (const [address, bits] of ranges) list.addSubnet(address, bits, isIP(address) === 4 ? 'ipv4' : 'ipv6');
  return list;
}
