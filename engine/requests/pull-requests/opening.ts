/**
 * Opens pull requests for what was proposed just now. Nothing is planned or read again for it: their texts are made of the plans of their commits,
 * while these are pushed. The ledger names them a moment later, by itself; where that is lost, they are found by their branches.
 */
import {
  type BacktrailError,
  isFailure,
  type LedgerRequest,
  type ObjectId,
  type PullRequest,
  type RequestId,
} from '../../model/index.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { RequestContext, Rules } from '../context.ts';
import { isExpired } from '../gate/expiry.ts';
import { hostOf, type Linking, openPullRequest, recordLinks, type Texts } from './host.ts';
import { answeredWith, isOfHost, lookOf } from './looking.ts';
import { type PlannedProposal, textOfPlanned } from './text.ts';

/** What one branch brings, oldest first. */
export interface Proposal {
  readonly via: 'pull-request' | 'branch';
  readonly branch: string;
  readonly tip: ObjectId;
  readonly rules: Rules;
  /** The branch that it is for, as it was when this was made. */
  readonly snapshot: Snapshot;
  readonly requests: readonly PlannedProposal[];
}

interface Opened {
  readonly pull: Pick<PullRequest, 'number' | 'url'> | null;
  /** It is tried again at the next look. */
  readonly problem: BacktrailError | null;
}

export interface Opening {
  /** Their commits are made, and about to be pushed. */
  readonly onStaged: (proposals: readonly Proposal[]) => void;
  /** Their branches are there, and the ledger says so. */
  readonly onProposed: (proposals: readonly Proposal[]) => void;
  /** Of all that it was told of. */
  readonly ended: () => Promise<ReadonlyMap<RequestId, Opened>>;
}

/** What is ready before its branch is there. */
interface Prepared extends Awaited<ReturnType<typeof hostOf>> {
  readonly text: Texts;
  readonly found: PullRequest | null;
}

export function createOpening(
  context: RequestContext,
  labelsOf: (id: RequestId) => readonly string[],
): Opening {
  const opened = new Map<RequestId, Opened>();
  const prepared = new Map<ObjectId, Promise<Prepared>>();
  let preparing: Promise<unknown> = Promise.resolve();
  let opening: Promise<unknown> = Promise.resolve();
  // One that does not answer is not waited for once more for each.
  let silent: BacktrailError | null = null;
  /** Whoever opens one meanwhile is found when ours is made. */
  const prepare = async ({ rules, snapshot, branch, requests }: Proposal): Promise<Prepared> => {
    const text = await textOfPlanned({ context, rules, tip: snapshot }, requests);
    const { host, into } = await hostOf(context, rules, snapshot.branch);
    return { text, host, into, found: await host.find(branch) };
  };

  async function open(proposal: Proposal): Promise<Opened> {
    const { branch, tip, requests } = proposal;
    const [first] = statesOf(proposal);
    if (silent !== null) return { pull: null, problem: silent };
    const now = context.clock.now();
    try {
      const { host, ...rest } = await (prepared.get(tip) ?? prepare(proposal));
      const labels = requests[0] ? labelsOf(requests[0].file.state.id) : [];
      const pull = await openPullRequest(host, { branch, head: tip, labels, ...rest });
      return { pull, problem: null };
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (error.code === 'HOST_UNAVAILABLE') silent = error;
      if (first && isOfHost(error)) answeredWith(lookOf(context), first, { error, now });
      return { pull: null, problem: error };
    }
  }

  async function openAll(proposals: readonly Proposal[]): Promise<void> {
    const linking: Linking[] = [];
    for (const proposal of proposals) {
      const one = await open(proposal);
      for (const { file } of proposal.requests) opened.set(file.state.id, one);
      if (one.pull !== null) linking.push({ states: statesOf(proposal), pull: one.pull });
    }
    const [first] = proposals;
    if (first && linking.length > 0) context.background(recordLinks(context, first.rules, linking));
  }

  // One that has expired is left to whoever looks at it, and takes it back.
  const isLate = ({ rules, requests }: Proposal) =>
    requests.some(({ file }) => isExpired(context, rules, file.state));
  const atHost = (proposals: readonly Proposal[]) =>
    proposals.filter((each) => each.via === 'pull-request' && !isLate(each));
  return {
    onStaged(proposals) {
      for (const proposal of atHost(proposals)) {
        const one = preparing.then(() => prepare(proposal));
        // Whoever opens it is told.
        preparing = one.catch(() => undefined);
        prepared.set(proposal.tip, one);
      }
    },
    onProposed(proposals) {
      opening = opening.then(() => openAll(atHost(proposals)));
      opening.catch(() => undefined);
    },
    async ended() {
      await opening;
      return opened;
    },
  };
}

const statesOf = ({ requests }: Proposal): readonly LedgerRequest[] =>
  requests.map(({ file, proposed }) => ({ ...file.state, proposed }));
