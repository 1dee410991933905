/** What pull requests brought, as a snapshot gives it to histories: reading the ledger may fail, and nothing else does then. */
import { type Arrivals, type Finding, isFailure, NO_ARRIVALS, type ObjectId } from '../../model/index.ts';
import type { GitRepository } from '../../git/open.ts';
import type { Observe } from '../../rollback/observe.ts';
import type { ArrivalsPort, Snapshot } from '../../snapshot/snapshot.ts';
import type { LedgerCache } from '../ledger/snapshot.ts';
import { claimsAt, type KnownClaims, writeClaims } from './claims.ts';
import { confirmClaims } from './confirm.ts';

/** For as long as an engine is open: by ledger, the claims at its last tip. */
export type ArrivalsCache = Map<string, { readonly tip: ObjectId; readonly reading: Promise<KnownClaims> }>;

export interface ArrivalsInput {
  readonly git: GitRepository;
  readonly cache: ArrivalsCache;
  /** Asked only where there is a ledger. */
  readonly ledgerCache: () => Promise<LedgerCache>;
}

export function withArrivals(input: ArrivalsInput, snapshot: Snapshot): Snapshot {
  const { ref } = snapshot.layout.config.ledger;
  const known = new Map<ObjectId, Promise<Arrivals>>();
  const problems: Finding[] = [];
  const on: ArrivalsPort['on'] = (tip) => {
    const reading =
      known.get(tip) ??
      readArrivals(input, ref, tip).catch((error: unknown) => {
        if (!isFailure(error)) throw error;
        if (problems.length === 0) problems.push(unreadable(error));
        return NO_ARRIVALS;
      });
    known.set(tip, reading);
    return reading;
  };
  return { ...snapshot, arrivals: { on, problems: () => Promise.resolve(problems) } };
}

export function observingArrivals(input: ArrivalsInput, observe: Observe): Observe {
  return async () => withArrivals(input, await observe());
}

async function readArrivals(
  { git, cache, ledgerCache }: ArrivalsInput,
  ref: string,
  branchTip: ObjectId,
): Promise<Arrivals> {
  const tip = await git.ledger.peek(ref);
  if (tip === null) return NO_ARRIVALS;
  const before = cache.get(ref);
  const reading = before?.tip === tip ? before.reading : read(before?.reading ?? null);
  cache.set(ref, { tip, reading });
  reading.catch(() => {
    if (cache.get(ref)?.reading === reading) cache.delete(ref);
  });
  const known = await reading;
  const count = known.seen.size;
  const arrivals = await confirmClaims(git, branchTip, known.claims, known.seen);
  if (known.seen.size > count && !git.shallow) await writeClaims({ git, ref }, known);
  return arrivals;

  async function read(earlier: Promise<KnownClaims> | null): Promise<KnownClaims> {
    const known = await (earlier?.catch(() => null) ?? null);
    return claimsAt({ git, ref, cache: ledgerCache }, tip ?? '', known);
  }
}

const unreadable = ({
  code,
  message,
  hint,
}: Pick<Finding, 'message'> & { code: string; hint: string }): Finding => ({
  code: 'RECORDS_UNREADABLE',
  severity: 'warn',
  message: `What pull requests brought to the branch is not considered: ${message} (${code})`,
  hint,
});
