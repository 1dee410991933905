/** Pull requests are closed before the event that ends them is written, and outside of the ledger's turn: a slow host keeps nobody else from writing. */
import { BacktrailError } from '../../../model/index.ts';
import type { RequestFile } from '../../../record/ledger-file.ts';
import { isProposed } from '../../../record/transitions.ts';
import { readRules, type RequestContext } from '../../context.ts';
import { openLedgerSnapshot } from '../../ledger/snapshot.ts';
import { completeLanded } from '../completed.ts';
import { lastProposed } from '../looking.ts';
import { alreadyMerged, takeBackProposed } from '../take-back.ts';

export interface TakenBack {
  /** Asked for within the turn, before an event that voids the approval of this one. Throws what `takingBack` takes for a call to do it first. */
  require(file: RequestFile): void;
}

class NotTakenBack extends Error {
  readonly file: RequestFile;

  constructor(file: RequestFile) {
    super('Its pull request is not closed yet.');
    this.file = file;
  }
}

/** Others may propose it anew meanwhile. */
const ROUNDS = 8;

/**
 * `write` is called again after what it requires is closed. What was merged meanwhile is completed.
 *
 * @throws REQUEST_CLOSED for that, unless `goesOn`: it is told of what it finds then
 */
export async function takingBack<Value>(
  context: RequestContext,
  write: (taken: TakenBack) => Promise<Value>,
  { goesOn = false }: { readonly goesOn?: boolean } = {},
): Promise<Value> {
  const done = new Set<string>();
  const taken: TakenBack = {
    require(file) {
      const name = nameOf(file);
      if (name !== null && !done.has(name)) throw new NotTakenBack(file);
    },
  };
  for (let round = 1; ; round += 1)
    try {
      return await write(taken);
    } catch (error) {
      if (!(error instanceof NotTakenBack)) throw error;
      const { file } = error;
      if (round === ROUNDS)
        throw new BacktrailError(
          'BRANCH_MOVED',
          `Request ${file.state.id} is proposed anew again and again.`,
        );
      const rules = await readRules(context);
      const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache);
      const landed = await takeBackProposed({ context, rules, ledgerSnapshot }, file);
      done.add(nameOf(file) ?? '');
      const state = lastProposed(file);
      if (landed === null || state === null) continue;
      await completeLanded(context, rules, [{ state, landed }]);
      if (!goesOn) throw alreadyMerged(state, landed);
    }
}

/** What is there to be closed; null: nothing. */
function nameOf(file: RequestFile): string | null {
  const { state, events } = file;
  if (state.status !== 'pending' && !isProposed(state)) return null;
  const last = events.findLast(({ type }) => type === 'proposed' || type === 'linked');
  return last === undefined ? null : `${state.id} ${last.id}`;
}
