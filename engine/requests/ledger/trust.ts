import { trustedKeys, trustMark, type UserFile } from '../../git/signing/signers.ts';
import { createCache, type LedgerCache } from './snapshot.ts';

export interface Trust {
  /** The list of keys that this machine trusts; null: none. */
  readonly allowedSigners: string | null;
  readonly cache: LedgerCache;
}

/** Looked at with each work: what was found out by another list counts no longer, for a key may have been taken out of it. */
export function createTrust(
  named: string | null,
): (context: { readonly userFile: UserFile }) => Promise<Trust> {
  let cache = createCache();
  let known = '';
  return async ({ userFile }) => {
    const allowedSigners = await trustedKeys(userFile, named);
    const mark = await trustMark(userFile, allowedSigners);
    if (mark !== known) cache = createCache();
    known = mark;
    return { allowedSigners, cache };
  };
}
