/** Whether requests and votes are for a place, and whether this repository is that. */
import type { Check } from '../model/index.ts';
import type { GitRepository } from '../git/open.ts';
import { findHome } from '../git/remote/home.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

const said = (status: Check['status'], what: Pick<Check, 'message' | 'hint' | 'details'>): Check => ({
  area: 'publishing',
  name: 'place',
  status,
  ...what,
});

/** null where nobody asks for approvals, and nothing is in the ledger. */
export async function checkHome(git: GitRepository, { branch, layout }: Snapshot): Promise<Check | null> {
  const { repository, policy, ledger } = layout.config;
  const { address, branch: name } = await git.destination(branch);
  if (repository.length === 0) {
    const asks = policy.environments.some(({ quorum }) => quorum > 0);
    if (!asks && (await git.ledger.peek(ledger.ref)) === null) return null;
    return said('warn', {
      message:
        'Requests and votes are for no place: they count in every copy of the repository whose configuration has no `repository` either.',
      hint: `Say where it is at home, in the configuration: \`repository: ${address}\`. Requests that are open then are asked for again.`,
      details: { address },
    });
  }
  const home = findHome(repository, address);
  const details = { address, branch: name, repository };
  if (home !== null) return said('ok', { message: `Requests and votes are for ${home} (${name}).`, details });
  return said('fail', {
    message: `This repository is published to ${address}, and the configuration says that it is at home at ${repository.join(', ')}: requests are refused here, and votes do not count.`,
    hint: 'Where both are the same, name this address in `repository` of the configuration too.',
    details,
  });
}
