/** Signatures of commits of the branch, where the configuration then in force asks for them and a ledger bears the rollback out. */
import type { Layout } from '../../layout/layout.ts';
import { judgeCommitter } from '../../git/signing/committer.ts';
import { signaturesOf } from '../../requests/ledger/signed.ts';
import type { Audit } from '../audit.ts';
import type { CommitText } from '../line/commit-text.ts';
import { type Problem, problem } from '../problems.ts';

/** By the keys that the auditor's list trusts for their committers. */
export async function judgeSignatures(
  { ledger: { tip, context } }: Audit,
  { config }: Layout,
  commits: readonly CommitText[],
): Promise<Problem[]> {
  if (!config.commit.sign || tip === null) return [];
  const { allowedSigners } = context;
  const signatures = await signaturesOf(context, commits);
  return commits.flatMap(({ id, committer }) => {
    const signature = signatures.get(id) ?? { state: 'none', principals: [], key: null };
    const { verdict, by } = judgeCommitter(signature, committer);
    const name = `The commit ${id.slice(0, 10)} of ${committer.email}`;
    if (verdict === 'signed') return [];
    if (verdict === 'none')
      return [
        problem('SIGNATURE_MISSING', `${name} is not signed: the configuration then in force asks for it.`),
      ];
    if (verdict === 'bad') return [problem('SIGNATURE_BAD', `${name} has a signature that does not fit it.`)];
    if (allowedSigners === null)
      return [problem('KEYS_MISSING', `${name} is signed, and there is no list of trusted keys here.`)];
    const whose = verdict === 'other' ? `a key of ${by.join(', ')}` : 'a key that the list trusts for nobody';
    return [problem('SIGNATURE_MISSING', `${name} is signed by ${whose}.`)];
  });
}
