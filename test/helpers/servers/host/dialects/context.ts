import type { HostKind } from '../../../../../engine/model/index.ts';
import type { Fields } from '../faults.ts';
import type { createMerger } from '../repository/merging.ts';
import type { Described } from '../repository/messages.ts';
import type { Pull, Store } from '../pulls.ts';
import type { Repository } from '../repository/repository.ts';
import type { HostSettings } from '../settings.ts';

/** What a dialect answers from. */
export interface HostContext {
  readonly kind: HostKind;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** `acme/config` */
  readonly name: string;
  readonly settings: HostSettings;
  readonly store: Store;
  readonly repository: Repository;
  readonly merge: ReturnType<typeof createMerger>;
  readonly describe: (pull: Pull) => Described;
  /** The account whose token it is. */
  readonly account: string;
}

/** The value of a body's field, where it is text. */
export function textOf(body: Fields, field: string): string | undefined {
  const value = body[field];
  return typeof value === 'string' ? value : undefined;
}

/** Ids of accounts: the same for the same name. */
export const accountId = (name: string): number =>
  Buffer.from(name).reduce((sum, byte) => (sum * 31 + byte) % 1_000_003, 7);
