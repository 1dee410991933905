/** An honest rollback that is tampered with. What of it matters to a kind of tampering is said beforehand: the table of docs/audit.md is made of it. */
import type { Repo } from '../../../helpers/repositories/repo.ts';
import type { Identity } from '../../../helpers/people/signing.ts';
import type { Objects } from './objects.ts';

export interface Case {
  /** One or two words. */
  readonly name: string;
  readonly what: string;
  readonly kind: 'rollback' | 'resume';
  /** How it came to the branch. */
  readonly how: 'push' | 'merge' | 'rebase' | 'squash';
  /** Keys of its trailers, each once. */
  readonly trailers: readonly string[];
  /** Keys of the trailers of its manifests' commit; absent: it has none. */
  readonly delivery?: readonly string[];
  /** The policy then in force demands a record in the ledger. */
  readonly isDemanded?: boolean;
  /** The ledger has it. */
  readonly hasLedger?: boolean;
  /** Other people's votes allowed it. */
  readonly hasVotes?: boolean;
  /** Through a server, which signed for those whom it knew. */
  readonly isServed?: boolean;
  /** Under a policy that counts only what each signs with their own key. */
  readonly needsOwnKey?: boolean;
  /** A file whose content it restores. */
  readonly restored: string;
  /** Another one. */
  readonly other?: string;
  /** An executable that it restores. */
  readonly executable?: string;
  /** A file in its scope that is kept. */
  readonly kept?: string;
  /** A line that is kept, or another's, in a file that it restores a part of. */
  readonly part?: readonly [path: string, line: string];
  /** A file that it removes. */
  readonly removed?: string;
  /** The file of the hold that it places. */
  readonly places?: boolean;
  /** Manifests. */
  readonly output?: string;
  /** Another service, of which a trailer may speak instead. */
  readonly neighbour?: string;
  /** The digest cannot be made again: the fields of files that were restored as a whole are not recorded. */
  readonly isPartial?: boolean;
  readonly isSignedOff?: boolean;
  readonly isSigned?: boolean;
  readonly isSha256?: boolean;
  /** Other rollbacks come after it in the same push. */
  readonly isFollowed?: boolean;
}

/** A file that nothing of these rollbacks touches. */
export const ELSEWHERE = 'README.md';

export interface Honest {
  readonly of: Case;
  readonly scene: Scene;
  readonly commit: string;
  readonly delivery: string | null;
  readonly requestId: string;
  /** Where the branch and the ledger were when it was done. */
  readonly main: string;
  readonly ledger: string | null;
}

interface Scene {
  readonly repo: Repo;
  readonly signers: string | null;
  /** Signs the events of a worker. */
  readonly worker?: Identity;
  /** Keys of a server, and of people. */
  readonly keys?: { readonly server: Identity; readonly bob: Identity };
  readonly objects: Objects;
}

/** A repository, and the cases in it. */
export interface Story {
  readonly name: string;
  readonly cases: readonly Case[];
  /** It has many signatures. */
  readonly isLong?: boolean;
  /** `npm test` looks at it in a test of its own. */
  readonly isElsewhere?: boolean;
  build(): Promise<Told>;
}

export interface Told extends Omit<Scene, 'objects'> {
  /** By name of the case. */
  readonly done: ReadonlyMap<string, Omit<Honest, 'of' | 'scene'>>;
}

/** The keys of the trailers of a rollback of the mode `service`, with more of them in their places. */
export function keysWith(more: readonly string[] = [], without: readonly string[] = []): readonly string[] {
  const order = [
    'Mode',
    'Service',
    'Justification',
    'Author',
    'Approval',
    'Rollback-Request-ID',
    'Rollback-Tenant',
    'Rollback-Environment',
    'Rollback-Target',
    'Rollback-Base',
    'Rollback-Plan',
    'Rollback-Engine',
    'Rollback-Field',
    'Rollback-Override',
    'Rollback-Break-Glass',
    'Rollback-Ledger',
    'Rollback-Hold',
    'Change',
    'Signed-off-by',
  ];
  const optional = order.filter((key) =>
    /Approval|Tenant|Field|Override|Glass|Ledger|Hold|Change|Signed/.test(key),
  );
  return order.filter((key) => !without.includes(key) && (!optional.includes(key) || more.includes(key)));
}

export const RESUME = ['Justification', 'Author', 'Resume-Hold', 'Resume-Request-ID', 'Resume-Plan'];
export const DELIVERY = ['Delivery-Of', 'Delivery-Renderer', 'Delivery-Request'];
