/** Whether a body asks for what an earlier one asked for, by all that the record of the earlier one holds. */
import {
  type PlanAsk,
  type RequestId,
  type RequestView,
  type RollbackPlan,
  recordable,
  spanText,
} from '../engine/index.ts';
import { keyReused } from './idempotency.ts';

export interface Asked {
  readonly ask: PlanAsk;
  readonly reason: string;
  /** Of the plan that was looked at. */
  readonly digest?: string | null | undefined;
  readonly follows?: RequestId | null | undefined;
}

/**
 * `plan`: what is asked for now, planned where and when the earlier one was, with the same digest. The record does not hold how a target was
 * written (`v3` and its commit are the same), overrides of checks that did not block, and whether a digest was sent.
 *
 * @throws KEY_REUSED
 */
export function requireSameRequest(
  { ask, reason, digest, follows }: Asked,
  { plan, request }: { readonly plan: RollbackPlan; readonly request: RequestView },
): void {
  const { scope, hold } = request;
  const overrides = request.overrides ?? [];
  const asked = ask.override ?? [];
  const removes =
    ask.allowRemoval === true || asked.includes('allow-removal') || asked.includes('TARGET_ABSENT');
  const same =
    plan.scope === request.scopeName &&
    plan.mode === scope.mode &&
    plan.target === request.target &&
    sameList(plan.fields ?? [], scope.fields ?? []) &&
    (plan.wholeFiles !== undefined) === (scope.wholeFile === true) &&
    (ask.resume === true) === (request.resume === true) &&
    removes === request.allowRemoval &&
    overrides.every((code) => asked.includes(code)) &&
    sameText(recordable(reason), request.justification) &&
    (hold === undefined) === (plan.hold === undefined) &&
    (hold === undefined || spanOf(hold.seconds) === plan.hold?.for) &&
    (digest ?? plan.digest) === plan.digest &&
    (follows ?? null) === request.follows &&
    request.incident === undefined &&
    (ask.propose === true) === (request.propose === true);
  if (!same) throw keyReused();
}

const spanOf = (seconds: number | null) => (seconds === null ? null : spanText(seconds));

const sameList = (one: readonly string[], other: readonly string[]) =>
  one.length === other.length && one.every((each) => other.includes(each));

/** As git keeps it. */
const sameText = (one: string, other: string) => Buffer.from(one).equals(Buffer.from(other));
