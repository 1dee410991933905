/**
 * Whether an automatic rollback needs nobody's approval. What a request says of itself is a claim: the policy has to exempt it, and records that count
 * have to say that an observer saw exactly this revision fail and asked for exactly this request, and that exactly this target was deployed last.
 */
import { createHash } from 'node:crypto';
import {
  type AutomaticCause,
  automaticKey,
  type Coordinates,
  type CountedRecord,
  deriveRequestId,
  type EnvironmentName,
  type EnvironmentPolicy,
  formatCoordinates,
  type LedgerRequest,
  type ObjectId,
  type RequestId,
  type Scope,
} from '../../model/index.ts';
import { autoRuleFor } from '../../layout/configuration/live.ts';
import { lastSuccessful } from '../../rollback/last-successful.ts';
import type { Planned } from '../../rollback/planning/planned.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { openLedgerSnapshot, type LedgerSnapshot } from '../ledger/snapshot.ts';
import type { RequestContext, Rules } from '../context.ts';

export interface AutomaticAsk extends AutomaticCause {
  /** The failure will be recorded before it is asked for. */
  readonly isForeseen?: boolean;
  /** It takes away what was not there before. */
  readonly allowRemoval?: boolean;
}

/** What of a request decides on it. */
export interface AutomaticClaim
  extends Pick<LedgerRequest, 'allowRemoval' | 'scope' | 'target'>,
    Partial<Pick<LedgerRequest, 'overrides' | 'resume'>> {
  readonly automatic: AutomaticAsk;
  /** Those before it count towards the limit. `at`: milliseconds since 1970. */
  readonly before: { readonly at: number; readonly id: RequestId | null };
}

interface Ruled {
  readonly environment: EnvironmentName;
  readonly rule: EnvironmentPolicy;
}

/** All of those that have a rule exempt it. */
export const exempts = (ruled: readonly Ruled[]): boolean =>
  ruled.length > 0 && ruled.every(({ rule }) => rule.automatic === 'exempt');

/** For a plan, and for whoever opens the request. */
export async function isExemptHere(
  context: RequestContext,
  rules: Rules,
  { planned, automatic }: { readonly planned: Planned; readonly automatic?: AutomaticAsk },
  ruled: readonly Ruled[],
): Promise<boolean> {
  if (automatic === undefined || !exempts(ruled) || !rules.knowsKeys) return false;
  const { plan, snapshot } = planned;
  const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache);
  const claim = {
    scope: plan.scope,
    target: plan.target.commit,
    overrides: plan.overrides,
    allowRemoval: automatic.allowRemoval === true,
    ...(plan.resumes && { resume: true as const }),
    automatic,
    before: { at: context.clock.now(), id: null },
  };
  return (await exemptionProblem({ snapshot, ledgerSnapshot }, claim)) === null;
}

/** Why it is not exempt, as a sentence; null where it is. Whether a trusted key signed it is for the caller. */
export async function exemptionProblem(
  { snapshot, ledgerSnapshot }: { readonly snapshot: Snapshot; readonly ledgerSnapshot: LedgerSnapshot },
  claim: AutomaticClaim,
): Promise<string | null> {
  const { scope, target, allowRemoval, automatic, before, overrides = [], resume } = claim;
  if (scope.mode === 'field' || scope.wholeFile === true || resume === true || overrides.length > 0)
    return 'It is more, or less, than an automatic rollback is.';
  const rule = autoRuleFor(snapshot.layout.config.auto, scope);
  if (rule === null) return 'No entry of `auto` matches its environment.';
  const found = await lastSuccessful(snapshot, scope);
  if (found.current !== automatic.revision) return 'Another revision is current by now.';
  const records = (await snapshot.deployments?.records(scope)) ?? [];
  // A first delivery that never was healthy goes away again.
  const isRemoval = rule.atomic && found.nothing !== null && !isSeenDeployed(records, automatic.revision);
  if (allowRemoval ? !isRemoval || target !== found.nothing : target !== found.target)
    return 'Its target is not what records say was successful last.';
  const own = automaticRequestId(scope, automatic.revision);
  if (before.id !== null && before.id !== own) return 'It is not the request that its revision is known by.';
  if (
    automatic.isForeseen !== true &&
    !isStillFailed(records, { revision: automatic.revision, request: own })
  )
    return 'No record that counts says that an observer saw its revision fail, and asked for it.';
  const used = (await automaticOf(ledgerSnapshot, scope)).filter(
    (other) => isOther(other, claim) && isBefore(other, before, rule.limit.perMs),
  );
  return used.length < rule.limit.times ? null : 'The limit of automatic rollbacks is reached.';
}

/** The same whoever asks. */
export const automaticRequestId = (scope: Coordinates, revision: ObjectId): RequestId =>
  deriveRequestId(
    createHash('sha256')
      .update(automaticKey(formatCoordinates(scope), revision))
      .digest(),
  );

interface Failure {
  readonly revision: ObjectId;
  readonly request: RequestId;
}

/** The record names the request: where the observer refused one (a hold, the limit, too late), nobody else has it for the asking. */
export const isSeenFailed = (records: readonly CountedRecord[], { revision, request }: Failure): boolean =>
  records.some((record) => isOfFailure(record, { revision, request }));

const isOfFailure = (record: CountedRecord, { revision, request }: Failure) =>
  !record.isWider &&
  record.commit === revision &&
  record.sources.failed === 'observer' &&
  record.automatic?.request === request;

/** What recovered has another record: it is nobody's reason any more. */
function isStillFailed(records: readonly CountedRecord[], failure: Failure): boolean {
  const failed = records.find((record) => record.status === 'failed' && isOfFailure(record, failure));
  if (failed === undefined) return false;
  return !records.some(
    ({ commit, isWider, status, updatedAt }) =>
      !isWider && commit === failure.revision && status === 'deployed' && updatedAt > failed.updatedAt,
  );
}

export const isSeenDeployed = (records: readonly CountedRecord[], revision: ObjectId): boolean =>
  records.some((record) => record.commit === revision && record.times.deployed !== undefined);

/** Those of the environment that the ledger has, whoever asked. */
export async function automaticOf(
  ledgerSnapshot: LedgerSnapshot,
  scope: EnvironmentName,
): Promise<readonly LedgerRequest[]> {
  const own = formatCoordinates(nameOf(scope));
  const files = await ledgerSnapshot.containing('"automatic":');
  return files.flatMap(({ state }) =>
    state.automatic !== undefined && formatCoordinates(nameOf(state.scope)) === own ? [state] : [],
  );
}

const nameOf = ({ tenant, environment }: EnvironmentName): EnvironmentName => ({
  ...(tenant !== undefined && { tenant }),
  environment,
});

const isOther = (
  { scope, automatic }: LedgerRequest,
  claim: { readonly scope: Scope; readonly automatic: AutomaticCause },
) =>
  automatic?.revision !== claim.automatic.revision ||
  formatCoordinates(scope) !== formatCoordinates(claim.scope);

/** Asked for before, and no longer ago than the limit's time. Times are of whole seconds: of two in one, the lesser id is the first. */
function isBefore(
  { id, createdAt }: LedgerRequest,
  before: AutomaticClaim['before'],
  perMs: number,
): boolean {
  const age = before.at - Date.parse(createdAt);
  return age < perMs && (age > 0 || (age === 0 && (before.id === null || id < before.id)));
}
