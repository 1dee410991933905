/** What pull requests brought, as a snapshot gives it to histories: reading the ledger may fail, and nothing else does then. */
import { type Arrivals, type Finding, isFailure, NO_ARRIVALS, type ObjectId } from '../../model/index.ts';
import type { GitRepository } from '../../git/open.ts';
import type { Observe } from '../../rollback/observe.ts';
import type { ArrivalsPort, Snapshot } from '../../snapshot/snapshot.ts';
import type { RequestContext } from '../context.ts';
import { snapshotAt } from '../ledger/snapshot.ts';
import { executesRequest } from '../restored.ts';
import { claimsAt, type KnownClaims, writeClaims } from './claims.ts';
import { confirmClaims, type Judge } from './confirm.ts';

/** For as long as an engine is open: by ledger, the claims at its last tip. */
export type ArrivalsCache = Map<string, { readonly tip: ObjectId; readonly reading: Promise<KnownClaims> }>;

export interface ArrivalsInput {
  readonly git: GitRepository;
  readonly cache: ArrivalsCache;
  /** Asked only where there is a ledger. */
  readonly context: () => Promise<RequestContext>;
}

export function withArrivals(input: ArrivalsInput, snapshot: Snapshot): Snapshot {
  const known = new Map<ObjectId, Promise<Arrivals>>();
  const problems: Finding[] = [];
  const on: ArrivalsPort['on'] = (tip) => {
    const reading =
      known.get(tip) ??
      readArrivals(input, snapshot, tip).catch((error: unknown) => {
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
  { git, cache, context }: ArrivalsInput,
  snapshot: Snapshot,
  branchTip: ObjectId,
): Promise<Arrivals> {
  const { ref } = snapshot.layout.config.ledger;
  const tip = await git.ledger.peek(ref);
  if (tip === null) return NO_ARRIVALS;
  const place = { git, ref, cache: async () => (await context()).cache };
  const before = cache.get(ref);
  const readOn = async () => claimsAt(place, tip, (await before?.reading.catch(() => null)) ?? null);
  const reading = before?.tip === tip ? before.reading : readOn();
  cache.set(ref, { tip, reading });
  reading.catch(() => {
    if (cache.get(ref)?.reading === reading) cache.delete(ref);
  });
  const known = await reading;
  const judge: Judge = async ({ requestId }, commit) => {
    const acting = await context();
    const file = await (await snapshotAt({ git, ref, cache: acting.cache }, tip)).request(requestId);
    if (file === null) return false;
    const { target, digest: plan } = file.state;
    return executesRequest(acting, snapshot, file.state, { commit, target, plan });
  };
  const size = ({ seen, judged }: KnownClaims) => seen.size + judged.size;
  const count = size(known);
  const arrivals = await confirmClaims(git, branchTip, { claims: known.claims, known, judge });
  if (size(known) > count && !git.shallow) await writeClaims({ git, ref }, known);
  return arrivals;
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
