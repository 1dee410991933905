/** The request in the ledger that a commit executes, as it was when it went ahead. */
import { type EnvironmentName, formatCoordinates } from '../../model/index.ts';
import type { Layout } from '../../layout/layout.ts';
import { publishRuleFor } from '../../layout/configuration/publish.ts';
import { policyFor } from '../../policy/policy.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import type { RollbackRecord } from '../../record/trailers.ts';
import type { Proofs } from '../../requests/ledger/proof.ts';
import type { Audit } from '../audit.ts';
import { until } from '../ledger/allowed.ts';
import { type Problem, problem } from '../problems.ts';
import type { CommitText } from '../line/commit-text.ts';

export interface Ledgered {
  /** Up to the event that let it go ahead. */
  readonly file: RequestFile;
  /** With what came after. */
  readonly whole: RequestFile;
  readonly proofs: Proofs;
}

export interface FoundLedgered {
  readonly ledgered: Ledgered | null;
  readonly problems: readonly Problem[];
}

/** `named`: the commit of the ledger that the trailers name. */
export async function ledgeredOf(
  { ledger }: Audit,
  { requestId, ledger: named }: Pick<RollbackRecord, 'requestId' | 'ledger'>,
): Promise<FoundLedgered> {
  const nothing = (...problems: Problem[]) => ({ ledgered: null, problems });
  const known = ledger.tip === null || requestId === '' ? null : await ledger.request(requestId);
  if (known === null && named === undefined) return nothing();
  if (known === null && ledger.tip === null)
    return nothing(
      problem('LEDGER_MISSING', `There is no ledger: the commit names its event ${short(named)}.`),
    );
  if (known === null)
    return nothing(
      problem('LEDGER_MISSING', `The ledger has no request ${requestId}, whose event it names.`),
    );
  if (known.problem !== null) return nothing(known.problem);
  const { file: whole, proofs } = known;
  const at = whole.events.findIndex(({ id }) => proofs.get(id)?.commit === named);
  const problems: Problem[] = [];
  if (named !== undefined && at < 0)
    problems.push(
      problem(
        'LEDGER_MISSING',
        `The event ${short(named)} that it names is none of ${requestId} in the ledger.`,
      ),
    );
  const done = whole.events.findIndex(({ type }) => type === 'completed');
  const count = at >= 0 ? at + 1 : done < 0 ? whole.events.length : done;
  return { ledgered: { file: until(whole, Math.max(1, count)), whole, proofs }, problems };
}

const short = (id = '') => id.slice(0, 10);

/** Whether the configuration then in force asks for a record of what changes there. */
export function demandsRecord({ config }: Layout, owners: readonly EnvironmentName[]): boolean {
  return (
    owners.some((owner) => policyFor(config.policy, owner) !== null) ||
    publishRuleFor(config.publish, owners).via !== 'push'
  );
}

/** What the ledger says became of it. */
export function judgeOutcome(
  { id }: CommitText,
  { whole: { state } }: Ledgered,
  delivery: string | null,
): Problem[] {
  const { result } = state;
  if (result === null || result.status === 'failed' || result.commit === null) return [];
  if (result.commit !== id)
    return [
      problem('COMMIT_DIFFERS', `The ledger says that ${result.commit.slice(0, 10)} executed ${state.id}.`),
    ];
  if (result.deliveryCommit === delivery) return [];
  const meant =
    result.deliveryCommit === null ? 'no manifests' : `manifests in ${result.deliveryCommit.slice(0, 10)}`;
  return [
    problem(
      'DELIVERY_MISSING',
      `The ledger says that it has ${meant}: the branch has ${delivery === null ? 'none' : delivery.slice(0, 10)}.`,
    ),
  ];
}

/** That the ledger has the same rollback under this id. */
export function judgeTerms(record: RollbackRecord, { file: { state } }: Ledgered): Problem[] {
  const { scope, target } = state;
  const own = formatCoordinates(record);
  const meant = formatCoordinates(scope);
  if (own === meant && record.mode === scope.mode && record.target === target) return [];
  return [
    problem(
      'LEDGER_DIFFERS',
      `The ledger has a rollback of ${meant} (${scope.mode}) to ${target.slice(0, 10)} under this id: the commit says ${own} (${record.mode}) to ${record.target.slice(0, 10)}.`,
    ),
  ];
}
