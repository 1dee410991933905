/** Who did what in the ledger, and by which key. */
import type { EventId, Person } from '../../model/index.ts';
import type { Proofs } from '../../requests/ledger/proof.ts';
import { isoOf } from './period.ts';
import type { Signed } from './types.ts';

interface Event {
  readonly id: EventId;
  readonly at: string;
  readonly actor: Person;
}

/** At the time that the ledger bears out, which need not be the one that the event claims. */
export function signedBy(proofs: Proofs, { id, at, actor }: Event): Signed {
  const proof = proofs.get(id);
  return {
    by: actor,
    at: proof === undefined ? at : isoOf(proof.time),
    key: proof?.key ?? null,
    identity: proof?.verified ? 'verified' : 'unverified',
    event: proof?.commit ?? null,
    ...(proof?.server && { server: true as const }),
  };
}
