/**
 * A chain of commits of which some are signed. `git fast-import` writes them without (only git 2.50 and later import signatures) and says what
 * their trees are; each one from the first that is signed on is then made anew, on top of the one before it, and all of them are written at the end.
 */
import { randomUUID } from 'node:crypto';
import {
  BacktrailError,
  type ChainStart,
  type CommitChain,
  type NewCommit,
  type NewCommits,
  type ObjectFormat,
  type ObjectId,
} from '../../model/index.ts';
import type { Runner } from '../process/runner.ts';
import { commitBytes, commitId, withSignature } from './commit-object.ts';
import type { Written } from '../store/import.ts';
import { beginChain, type StagedRef } from '../store/import-chain.ts';
import { updateRefs } from '../store/refs.ts';
import { stagingFolder } from '../store/staging.ts';
import { writeCommitObjects } from './write-commits.ts';
import { requireKey, type Signer } from './sign.ts';

export interface CommitSigning {
  readonly runner: Runner;
  readonly format: ObjectFormat;
  /** null: there is no key. */
  readonly signer: Signer | null;
  /** What does not say otherwise is signed. */
  readonly always: boolean;
}

export const isSigned = ({ always }: Pick<CommitSigning, 'always'>, { sign }: Pick<NewCommit, 'sign'>) =>
  sign ?? always;

interface SignedChain extends CommitChain {
  staged(): readonly StagedRef[];
}

/** @throws SIGNING_FAILED, of `add` */
export function beginSignedChain(signing: CommitSigning, start: ChainStart): SignedChain {
  const { runner, format, signer } = signing;
  const chain = beginChain(runner, start);
  const ref = `${stagingFolder(start.requestId)}${randomUUID()}/signed`;
  const made: Buffer[] = [];
  let staged: StagedRef | null = null;
  /** The last one as git wrote it, and as it is. */
  let [plain, last] = [start.parent, start.parent];
  const add: CommitChain['add'] = async (commit) => {
    const signs = isSigned(signing, commit);
    if (!signs && plain === last) return (plain = last = await chain.add(commit));
    const before = plain;
    const { id, tree } = await chain.addWithTree(commit);
    plain = id;
    // What is signed has to be what git would have written.
    if (commitId(commitBytes({ ...commit, tree, parent: before }), format) !== id)
      throw new BacktrailError('GIT_FAILED', 'git fast-import wrote a commit that is not as it was given.');
    const bytes = commitBytes({ ...commit, tree, parent: last });
    const whole = signs ? withSignature(bytes, await signatureOf(bytes), format) : bytes;
    made.push(whole);
    return (last = commitId(whole, format));
  };
  const signatureOf = async (bytes: Buffer) => {
    if (signer === null) return requireKey(runner, null).then(() => '');
    return signer.sign(bytes);
  };
  return {
    add,
    staged: () => [...chain.staged(), ...(staged === null ? [] : [staged])],
    async end() {
      await chain.end();
      if (made.length === 0) return;
      await writeCommitObjects(runner, format, made);
      await updateRefs(runner, [{ ref, expected: null, next: last }]);
      staged = { ref, id: last };
    },
    async drop() {
      const own = staged;
      staged = null;
      await chain.drop();
      // Best effort: what is left behind goes with a later sweep.
      if (own !== null)
        await updateRefs(runner, [{ ref, expected: own.id, next: null }]).catch(() => undefined);
    },
  };
}

/** `writeCommits`, for commits of which some are signed. */
export async function writeSigned(
  signing: CommitSigning,
  { requestId, commits }: NewCommits,
): Promise<Written> {
  const chains: SignedChain[] = [];
  const ids: ObjectId[] = [];
  try {
    for (const commit of commits) {
      if (commit.parent !== null) {
        await chains.at(-1)?.end();
        chains.push(beginSignedChain(signing, { parent: commit.parent, requestId }));
      }
      const chain = chains.at(-1);
      if (chain === undefined) throw new BacktrailError('INTERNAL', 'The first commit has no parent.');
      ids.push(await chain.add(commit));
    }
    await chains.at(-1)?.end();
    return { ids, refs: chains.flatMap((chain) => chain.staged()) };
  } catch (error) {
    await Promise.all(chains.map((chain) => chain.drop()));
    throw error;
  }
}
