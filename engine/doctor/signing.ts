/** Signed commits: whether they are made, whether a server asks for them, and whether anybody can tell whose they are. */
import type { Check, Person } from '../model/index.ts';
import type { GitRepository } from '../git/open.ts';
import { settled } from './attempt.ts';

type Said = Omit<Check, 'area' | 'name' | 'status'>;

const said = (status: Check['status'], what: Said): Check => ({
  area: 'publishing',
  name: 'signed commits',
  status,
  ...what,
});

/** `sign`: as the configuration says. Nothing where nothing is signed and no server was seen to ask for it. */
export async function checkSignedCommits(
  git: GitRepository,
  { sign, committer }: { readonly sign: boolean; readonly committer: Person },
): Promise<Check[]> {
  if (!sign) {
    const refusal = (await git.refusedUnsigned?.()) ?? null;
    if (refusal === null) return [];
    const { branch, at, message } = refusal;
    return [
      said('warn', {
        message: `The server takes signed commits alone into ${branch}, and those of Backtrail are not signed. On ${at.slice(0, 16).replace('T', ' ')} UTC: ${message}`,
        hint: 'Set `commit.sign: true` in the configuration (docs/signing.md).',
        details: { branch, at },
      }),
    ];
  }
  const key = await settled(git.requireKey(true));
  // The check of git says that it is missing.
  if ('error' in key && key.error.code === 'GIT_MISSING') return [];
  const { email } = committer;
  return [
    'error' in key
      ? said('warn', {
          message: `${key.error.message} Rollbacks fail here before anything is written.`,
          hint: key.error.hint,
          details: { code: key.error.code },
        })
      : said('ok', { message: 'Commits made here are signed with your SSH key.' }),
    ...(isUnknowable(email)
      ? [
          said('warn', {
            message: `Commits are signed, and their committer is ${email}: no code host can know whose key that is, as nobody can receive mail there.`,
            hint: 'Set GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL to an account of the host that has the key, where rollbacks are executed.',
            details: { committer: email },
          }),
        ]
      : []),
  ];
}

/** Names that are reserved, so that nobody has them: RFC 2606, RFC 6761, RFC 6762, and what is taken for networks at home. */
const RESERVED =
  /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|lan|home|home\.arpa|corp|test|invalid|example|example\.(?:com|net|org|edu))$/;

/** An address that no host can have confirmed. Addresses that hosts give out against unwanted mail (`noreply`) are theirs. */
export function isUnknowable(email: string): boolean {
  const [, domain = ''] = /^[^@\s]+@([^@\s]+)$/.exec(email.toLowerCase()) ?? [];
  const name = domain.replace(/\.$/, '');
  return !name.includes('.') || /^\[?[\d.:a-f]+\]?$/.test(name) || RESERVED.test(name);
}
