/** Records that are published together with a branch where that can be, and otherwise after it: never in its way. */
import {
  type BranchEdit,
  type Finding,
  isFailure,
  type RefMove,
  type RepositoryPublisher,
  type RequestId,
  type RollbackResult,
} from '../model/index.ts';

/** What moves together with the branch. */
export interface RideAlong {
  readonly move: RefMove;
  /** The branch goes without it where its ref is elsewhere by now. */
  readonly yields?: boolean;
  /** The branch does not go without it, nor without what else rides along. */
  readonly isRequired?: boolean;
  /** Told once what became of it. */
  end(outcome: 'moved' | 'discarded'): Promise<void>;
}

/** Records that rollbacks were deployed. */
export interface RollbackRecorder {
  /** For commits that are written and not published yet. Never rejects. */
  prepare(results: readonly RollbackResult[]): Promise<RecordedRollbacks>;
}

export interface RecordedRollbacks {
  readonly ride: RideAlong | null;
  /** When the branch has moved: writes what did not move with it. Never rejects. */
  finish(): Promise<void>;
  /** What was left out of a rollback's record, and why. */
  findingsOf(id: RequestId): readonly Finding[];
}

export const NOT_RECORDED: RecordedRollbacks = {
  ride: null,
  finish: () => Promise.resolve(),
  findingsOf: () => [],
};

/** Publishes the branch with what rides along. `onPublished`: told at once, beside tidying up. @throws as `publish` of a repository */
export async function publishWith(
  git: Pick<RepositoryPublisher, 'publish'>,
  edit: BranchEdit,
  along: readonly (RideAlong | null)[],
  onPublished: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const all = along.filter((each) => each !== null);
  const moved = new Set<RideAlong>();
  let riding = all;
  let told: Promise<void> | undefined;
  const onMoved = () => {
    told ??= onPublished();
    // Waited for below.
    told.catch(() => undefined);
  };
  try {
    for (;;) {
      const also = riding.map(({ move }) => move);
      try {
        const isWhole = riding.some(({ isRequired }) => isRequired === true);
        const left = await git.publish({ ...edit, onMoved, ...(also.length > 0 && { also, isWhole }) });
        for (const each of riding) if (!left.includes(each.move)) moved.add(each);
        onMoved();
        return;
      } catch (error) {
        const stale = riding.find(({ yields, move }) => yields === true && isMoved(error, move));
        if (stale === undefined) throw error;
        riding = riding.filter((each) => each !== stale);
      }
    }
  } finally {
    for (const each of all) await each.end(moved.has(each) ? 'moved' : 'discarded');
    await told;
  }
}

const isMoved = (error: unknown, { ref }: RefMove) =>
  isFailure(error) && error.code === 'BRANCH_MOVED' && error.details['ref'] === ref;
