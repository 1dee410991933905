import { BacktrailError } from '../model/index.ts';
import { hubOf } from './reference.ts';

export interface Registry {
  /** As images name it: `docker.io`, `registry.example.com:5000`. */
  readonly host: string;
  /** null: not written; https, or on loopback http where https is not spoken, as Docker does it. */
  readonly protocol: 'http' | 'https' | null;
}

const ENTRY = /^(?:(https?):\/\/)?((?:[a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?)\/?$/;
/** Characters shown of an entry that cannot be read. */
const SHOWN = 40;

/**
 * `BACKTRAIL_REGISTRIES`: registries that may be asked, separated by commas or spaces, each `host[:port]`, with `http://` where it speaks
 * nothing else. By host.
 *
 * @throws INVALID_REQUEST
 */
export function parseRegistries(text: string): ReadonlyMap<string, Registry> {
  const registries = new Map<string, Registry>();
  for (const entry of text.split(/[\s,]+/).filter(Boolean)) {
    const [matched, protocol, address = ''] = ENTRY.exec(entry.toLowerCase()) ?? [];
    if (matched === undefined)
      throw new BacktrailError(
        'INVALID_REQUEST',
        `BACKTRAIL_REGISTRIES has an entry that is not the address of a registry: ${JSON.stringify(entry.slice(0, SHOWN))}.`,
        { hint: 'Write host[:port], separated by commas, for example ghcr.io,registry.example.com:5000.' },
      );
    const host = hubOf(address);
    registries.set(host, { host, protocol: protocol === 'http' || protocol === 'https' ? protocol : null });
  }
  return registries;
}
