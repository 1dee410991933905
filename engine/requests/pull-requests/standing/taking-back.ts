/** Pull requests are closed before the event that ends them is written, and outside of the ledger's turn: a slow host keeps nobody else from writing. */
import { BacktrailError } from '../../../model/index.ts';
import type { RequestFile } from '../../../record/ledger-file.ts';
import { isProposed } from '../../../record/transitions.ts';
import { readRules, type RequestContext } from '../../context.ts';
import { openLedgerSnapshot } from '../../ledger/snapshot.ts';
import { completeLanded } from '../completed.ts';
import { lastProposed } from '../looking.ts';
import { alreadyMerged, takeBackProposed } from '../take-back.ts';

/** Asked within the turn. */
export interface TakenBack {
  /** Before an event that voids the approval of this one. */
  require(file: RequestFile): void;
  /** What is to be written then. Throws what `takingBack` takes for a call to close first what was required. */
  checked<Events>(events: Events): Events;
}

class NotTakenBack extends Error {
  readonly files: readonly RequestFile[];

  constructor(files: readonly RequestFile[]) {
    super('Their pull requests are not closed yet.');
    this.files = files;
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
  for (let round = 1; ; round += 1)
    try {
      return await write(takenAfter(done));
    } catch (error) {
      if (!(error instanceof NotTakenBack)) throw error;
      const [first] = error.files;
      if (round === ROUNDS)
        throw new BacktrailError(
          'BRANCH_MOVED',
          `Request ${first?.state.id ?? ''} is proposed anew again and again.`,
        );
      const rules = await readRules(context);
      for (const file of error.files) {
        const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache);
        const landed = await takeBackProposed({ context, rules, ledgerSnapshot }, file);
        done.add(nameOf(file) ?? '');
        const state = lastProposed(file);
        if (landed === null || state === null) continue;
        await completeLanded(context, rules, [{ state, landed }]);
        if (!goesOn) throw alreadyMerged(state, landed);
      }
    }
}

/** The ledger may be read again, and decided on again, before anything is written. */
function takenAfter(done: ReadonlySet<string>): TakenBack {
  let missing: RequestFile[] = [];
  return {
    require(file) {
      const name = nameOf(file);
      if (name !== null && !done.has(name)) missing.push(file);
    },
    checked(events) {
      const files = missing;
      missing = [];
      if (files.length > 0) throw new NotTakenBack(files);
      return events;
    },
  };
}

/** What is there to be closed; null: nothing. */
function nameOf(file: RequestFile): string | null {
  const { state, events } = file;
  if (state.status !== 'pending' && !isProposed(state)) return null;
  const last = events.findLast(({ type }) => type === 'proposed' || type === 'linked');
  return last === undefined ? null : `${state.id} ${last.id}`;
}
