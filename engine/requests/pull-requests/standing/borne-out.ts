/** Whether what the ledger says was proposed is what was approved: whoever may write there could park an approved request, or have anything opened. */
import { BacktrailError, isFailure, type ObjectId, PROPOSED_BRANCH } from '../../../model/index.ts';
import { changeDigest, sumOf } from '../../../record/change-digest.ts';
import type { RequestFile } from '../../../record/ledger-file.ts';
import { layoutAt } from '../../../rollback/observe.ts';
import { makeSnapshot, type Snapshot } from '../../../snapshot/snapshot.ts';
import type { RequestContext } from '../../context.ts';
import type { EligibilityInput } from '../../gate/eligibility.ts';
import type { LedgerSnapshot } from '../../ledger/snapshot.ts';
import { canJudge, claimed, proven } from '../../view.ts';
import { type Following, type Looking, nameOfProposal } from '../looking.ts';
import { requireProved } from '../proved.ts';

/**
 * `partial`: others that it was proposed with were taken back; `outdated`: it was, by the configuration that it was made on, and the one of now brings other files; `unseen`: its commits are nowhere; `unjudged`: this
 * machine knows no keys to judge it by.
 */
export type BorneOut = 'yes' | 'no' | 'partial' | 'outdated' | 'unseen' | 'unjudged';

/** Found out once for each proposal. */
export async function isBorneOut(
  { context, rules, snapshot, ledgerSnapshot }: Following,
  look: Looking,
  found: readonly EligibilityInput[],
): Promise<BorneOut> {
  const names = found.map(({ file: { state } }) => (state.proposed ? nameOfProposal(state.proposed) : ''));
  const isKnown = found.every(({ file }, at) => look.borneOut.get(file.state.id) === names[at]);
  if (!isKnown && !(await areThere(context, found)))
    return (await hadOthers(ledgerSnapshot, found)) ? 'partial' : 'unseen';
  if (!(await isWhole(context, found))) return 'partial';
  if (isKnown) return 'yes';
  const isJudge = found.every(({ file }) => canJudge(context, rules, file.state));
  const counts = isJudge ? proven : claimed(context);
  const judged = found.map((each) => ({ ...each, counts }));
  if (!(await isProved(snapshot, judged))) {
    if (!isJudge) return 'unjudged';
    return (await wasProved(snapshot, judged)) ? 'outdated' : 'no';
  }
  for (const [at, { file }] of found.entries()) look.borneOut.set(file.state.id, names[at] ?? '');
  return 'yes';
}

async function isProved(snapshot: Snapshot, found: readonly EligibilityInput[]): Promise<boolean> {
  try {
    await requireProved(snapshot, found);
    return true;
  } catch (error) {
    if (isFailure(error) && error.code === 'LEDGER_TAMPERED') return false;
    throw error;
  }
}

/** By the configuration of then. */
async function wasProved(snapshot: Snapshot, found: readonly EligibilityInput[]): Promise<boolean> {
  const [first] = found;
  const base = first?.file.state.proposed?.base;
  if (first === undefined || base === undefined) return false;
  try {
    const layout = await layoutAt(first.context.git, base, snapshot);
    return layout !== snapshot.layout && (await isProved(makeSnapshot({ ...snapshot, layout }), found));
  } catch (error) {
    if (isFailure(error)) return false;
    throw error;
  }
}

async function isWhole({ git }: RequestContext, found: readonly EligibilityInput[]): Promise<boolean> {
  const together = found[0]?.file.state.proposed?.together;
  if (together === undefined) return true;
  const commits = await git.inspect(idsOf(found));
  return changeDigest(git.hasher, sumOf(commits.map(({ changes }) => changes))) === together;
}

/** As the ledger says, where the commits are gone with their branch. */
async function hadOthers(
  ledgerSnapshot: LedgerSnapshot,
  found: readonly EligibilityInput[],
): Promise<boolean> {
  const { tip, together } = found[0]?.file.state.proposed ?? {};
  if (tip === undefined || together === undefined) return false;
  const own = new Set(found.map(({ file }) => file.state.id));
  return (await ledgerSnapshot.containing(`"${tip}"`)).some(({ state }) => !own.has(state.id));
}

function idsOf(found: readonly EligibilityInput[]): readonly ObjectId[] {
  const all = found.flatMap(({ file: { state } }) => state.proposed ?? []);
  return [...new Set(all.flatMap(({ commit, deliveryCommit }) => [commit, deliveryCommit ?? commit]))];
}

async function areThere({ git }: RequestContext, found: readonly EligibilityInput[]): Promise<boolean> {
  const ids = idsOf(found);
  const isHere = async () => {
    try {
      return (await git.inspect(ids)).length === ids.length;
    } catch (error) {
      if (isFailure(error)) return false;
      throw error;
    }
  };
  if (await isHere()) return true;
  const branches = found.flatMap(({ file: { state } }) => state.proposed?.branch ?? []);
  for (const branch of new Set(branches)) await git.proposedAt(branch);
  return isHere();
}

/** Milliseconds: so often at most it is made anew for this. */
const WITHIN = 10 * 60_000;
const MOST = 3;

/** Two machines that know other keys would do so in turns for ever. */
export function isMadeAnewTooOften({ clock }: RequestContext, { events }: RequestFile): boolean {
  const isRecent = (at: string) => Math.abs(clock.now() - Date.parse(at)) < WITHIN;
  return events.filter(({ type, at }) => type === 'proposed' && isRecent(at)).length > MOST;
}

/** Where the branch of this request itself is. @throws PULL_REQUEST_CHANGED where it is at what the ledger never named */
export async function ownBranchAt(
  { git }: RequestContext,
  { state, events }: RequestFile,
): Promise<ObjectId | null> {
  const branch = `${PROPOSED_BRANCH}${state.id}`;
  const at = await git.proposedAt(branch);
  const isNamed = events.some((event) => event.type === 'proposed' && event.proposed.tip === at);
  if (at === null || isNamed) return at;
  throw new BacktrailError(
    'PULL_REQUEST_CHANGED',
    `Somebody else has pushed to ${branch}; it is left for a person to look at.`,
  );
}

/** Where no key is known, and it has no pull request yet. */
export const unjudged = ({ state }: RequestFile) =>
  new BacktrailError(
    'IDENTITY_UNVERIFIED',
    `It cannot be judged here who approved request ${state.id}: a worker that knows the keys opens its pull request.`,
  );

export const notBorneOut = ({ state }: RequestFile) =>
  new BacktrailError(
    'LEDGER_TAMPERED',
    `The ledger names a branch for request ${state.id} that does not hold what was approved.`,
  );
