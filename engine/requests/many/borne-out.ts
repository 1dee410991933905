/** Whether the branch bears out what the ledger says was executed: whoever may write to the ledger can say so. */
import {
  BacktrailError,
  isFailure,
  type LedgerRequest,
  type ObjectId,
  type RequestId,
} from '../../model/index.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import type { RequestContext } from '../context.ts';
import { publishedAfter } from '../restored.ts';
import { isPublished } from './member.ts';

type Contradictions = ReadonlyMap<RequestId, string>;

const NONE: Contradictions = new Map();

/**
 * Of those that the ledger says were executed by a commit: a sentence for each that the branch does not hold, or in another commit. One look at the
 * branch, at what its commits say of themselves. Nothing is said where that cannot be looked at.
 */
export async function contradictionsIn(
  context: RequestContext,
  files: readonly Pick<RequestFile, 'state'>[],
): Promise<Contradictions> {
  const { git, observe } = context;
  const claimed = files.flatMap(({ state }) => {
    const { id, base, status, result } = state;
    if (status !== 'completed' || result?.status !== 'completed' || result.commit === null) return [];
    return [{ id, base, commit: result.commit, isArrived: result.arrived !== undefined }];
  });
  if (claimed.length === 0 || git.shallow) return NONE;
  try {
    const { base: tip } = await observe();
    const line = new Set(await git.history.firstParents(tip));
    const pushed = claimed.filter(({ isArrived }) => !isArrived);
    const published = await publishedAfter(
      git,
      tip,
      pushed.map(({ base }) => base),
    );
    return new Map(
      claimed.flatMap(({ id, commit, isArrived }) => {
        // The message of what a host merged may say nothing: the record of it is in the ledger.
        const held = isArrived && line.has(commit) ? commit : (published.get(id) ?? null);
        return held === commit ? [] : [[id, contradiction(commit, held)] as const];
      }),
    );
  } catch (error) {
    if (isFailure(error)) return NONE;
    throw error;
  }
}

const contradiction = (commit: ObjectId, held: ObjectId | null) =>
  held === null
    ? `The ledger says that ${commit.slice(0, 10)} executed it, and the branch does not hold that.`
    : `The ledger says that ${commit.slice(0, 10)} executed it, and the branch has it in ${held.slice(0, 10)}.`;

/** The same of one: what its commit changes counts, too. */
export async function contradictionOf(
  context: RequestContext,
  file: { readonly state: LedgerRequest },
): Promise<string | null> {
  const { state } = file;
  const said = (await contradictionsIn(context, [file])).get(state.id) ?? null;
  if (said !== null || state.result?.status !== 'completed' || state.result.arrived !== undefined)
    return said;
  try {
    await isPublished(context, state, null);
    return null;
  } catch (error) {
    if (!(error instanceof BacktrailError)) throw error;
    return error.code === 'LEDGER_TAMPERED' ? error.message : null;
  }
}
