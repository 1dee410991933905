/** Whether events say how a server knew who acted, where a server's key signed them. */
import { samePerson } from '../../policy/policy.ts';
import type { RequestFile, SessionFile } from '../../record/ledger-file.ts';
import type { Proofs } from '../../requests/ledger/proof.ts';
import { type Problem, problem } from '../problems.ts';

type Events = Pick<RequestFile | SessionFile, 'events'>;

/** Decisions that a server's key signed, and that do not say how the server knew whose they are. */
export const unexplained = ({ events }: Events, proofs: Proofs): Problem[] =>
  events.flatMap(({ id, type, actor }) =>
    proofs.get(id)?.unsaid === true
      ? [
          problem(
            'AUTHENTICATION_DIFFERS',
            `A server's key signed the event ${id} (${type}) for ${actor.email}, and it does not say how the server knew them.`,
          ),
        ]
      : [],
  );

export type Holders = Map<string, string>;

/** A token acts for one person: whoever the first event names that a trusted key vouches for. `holders`: of the ledger so far. */
export function misused({ events }: Events, proofs: Proofs, holders: Holders): Problem[] {
  const problems: Problem[] = [];
  for (const { id, actor, authenticated } of events) {
    if (authenticated?.how !== 'token' || authenticated.by === null) continue;
    if (proofs.get(id)?.verified !== true) continue;
    const holder = holders.get(authenticated.by) ?? actor.email;
    holders.set(authenticated.by, holder);
    if (samePerson(holder, actor.email)) continue;
    const message = `The event ${id} says that ${actor.email} acted with the token ${authenticated.by}, which is one of ${holder}.`;
    problems.push(problem('AUTHENTICATION_DIFFERS', message));
  }
  return problems;
}
