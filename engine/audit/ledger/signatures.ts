/** Signatures of commits, by the keys that the auditor trusts: git is started for many at once, and once for each. */
import type { ObjectId, Signature } from '../../model/index.ts';
import type { RequestContext } from '../../requests/context.ts';

export type SignaturesOf = (ids: readonly ObjectId[]) => Promise<ReadonlyMap<ObjectId, Signature>>;

/** Of the rollbacks that are judged at the moment. */
const KEPT = 5000;

export function createSignatures({
  git,
  allowedSigners,
}: Pick<RequestContext, 'git' | 'allowedSigners'>): SignaturesOf {
  const known = new Map<ObjectId, Promise<Signature | undefined>>();
  return async (ids) => {
    if (known.size > KEPT) known.clear();
    const unknown = ids.filter((id) => !known.has(id));
    if (unknown.length > 0) {
      const asked = git.ledger.signatures(unknown, allowedSigners);
      for (const id of unknown)
        known.set(
          id,
          asked.then((found) => found.get(id)),
        );
    }
    const found = new Map<ObjectId, Signature>();
    for (const id of ids) {
      const signature = await known.get(id);
      if (signature !== undefined) found.set(id, signature);
    }
    return found;
  };
}
