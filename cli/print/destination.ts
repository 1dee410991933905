import type { Destination } from '../../engine/index.ts';
import { clean } from '../terminal/clean.ts';

/** `main at origin (git.example.com:acme/config)` */
export function destinationText({ remote, address, branch }: Destination): string {
  return clean(remote === null ? `${branch} at ${address}` : `${branch} at ${remote} (${address})`);
}
