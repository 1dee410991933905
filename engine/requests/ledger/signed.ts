/** Signatures of commits, of the ledger above all, by the keys that this machine trusts. */
import type { ObjectId, Signature } from '../../model/index.ts';
import { vouchedBy } from '../../policy/vouched.ts';
import type { LedgerCommit } from './commits.ts';
import type { RequestContext } from '../context.ts';

/** `times`: when each was made (milliseconds since 1970), which decides whether its key was valid; its own date where absent. */
export async function signaturesOf(
  { git, cache, allowedSigners }: RequestContext,
  commits: readonly Pick<LedgerCommit, 'id'>[],
  times: ReadonlyMap<ObjectId, number> = new Map(),
): Promise<ReadonlyMap<ObjectId, Signature>> {
  const keyOf = (id: ObjectId) => `${id} ${times.get(id) ?? ''}`;
  const ids = [...new Set(commits.map(({ id }) => id))];
  const unknown = ids.filter((id) => !cache.signatures.has(keyOf(id)));
  if (unknown.length > 0) {
    // Whoever asks meanwhile waits for the same process of git.
    const asked = git.ledger.signatures(unknown, allowedSigners, times);
    for (const id of unknown)
      cache.signatures.set(
        keyOf(id),
        asked.then(
          (found) => found.get(id),
          (error: unknown) => {
            cache.signatures.delete(keyOf(id));
            throw error;
          },
        ),
      );
  }
  const found = await Promise.all(
    ids.map(async (id) => [id, await cache.signatures.get(keyOf(id))] as const),
  );
  return new Map(
    found.flatMap(([id, signature]) => (signature === undefined ? [] : [[id, signature] as const])),
  );
}

/** Those of these commits that a trusted key signed for their author: their own, or that of a server. */
export async function signedByAuthor(
  context: RequestContext,
  commits: readonly LedgerCommit[],
  times: ReadonlyMap<ObjectId, number>,
): Promise<ReadonlyMap<ObjectId, 'person' | 'server'>> {
  const signatures = await signaturesOf(context, commits, times);
  return new Map(
    commits.flatMap(({ id, author }) => {
      const signature = signatures.get(id);
      const by = signature === undefined ? null : vouchedBy(signature, author.email);
      return by === null ? [] : [[id, by] as const];
    }),
  );
}
