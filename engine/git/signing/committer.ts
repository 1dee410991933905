/** Whose signature a commit of the branch has. Pure: signatures are read by `signatures.ts`. */
import { emailKey, type Person, type Signature } from '../../model/index.ts';
import { identity } from '../store/identity.ts';

/**
 * `signed`: by a key that the list trusts for the committer. `other`: by a key that it trusts for other people alone. `unknown`: by a key that it
 * trusts for nobody, or not at that time, or not by an SSH key. `bad`: it does not fit the commit. `none`: there is none.
 */
type CommitterSignature = 'signed' | 'other' | 'unknown' | 'bad' | 'none';

export interface JudgedCommitter {
  readonly verdict: CommitterSignature;
  /** Emails that the list gives the key. */
  readonly by: readonly string[];
  /** Fingerprint `SHA256:…`; null where none is known. */
  readonly key: string | null;
}

/** `signature` as `readSignatures` gives it, by the list of whoever judges; `committer` as the commit names one. */
export function judgeCommitter(
  { state, principals, key }: Signature,
  committer: Pick<Person, 'email'>,
): JudgedCommitter {
  const judged = (verdict: CommitterSignature): JudgedCommitter => ({ verdict, by: principals, key });
  if (state !== 'good') return judged(state);
  const own = emailOf(committer);
  return judged(own !== '' && principals.some((email) => emailOf({ email }) === own) ? 'signed' : 'other');
}

/** As git writes it into a commit; letters of both cases are the same, as they are for votes. */
const emailOf = ({ email }: Pick<Person, 'email'>) => emailKey(identity({ name: '', email }).email);
