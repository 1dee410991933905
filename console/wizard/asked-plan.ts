/** The plan of what the address asks for. Where fields are chosen, the revision is looked up first: fields count versions of their own. */
import type { GatedPlan } from '../contract.ts';
import type { Loaded } from '../data/resource.ts';
import { type PlanBody, usePlan } from '../plan/planned.ts';
import { type Ask, bodyOf, offerOf } from './ask.ts';

export interface AskedPlan {
  /** All that fields can be chosen of; empty outside of field mode. */
  readonly offer: Loaded<GatedPlan>;
  readonly plan: Loaded<GatedPlan>;
  /** null: something is not chosen, or not known yet. */
  readonly body: PlanBody | null;
  /** The commit, in field mode. */
  readonly target: string | null;
}

export function useAskedPlan(ask: Ask): AskedPlan {
  const isField = ask.mode === 'field';
  const offer = usePlan(isField && ask.to !== '' ? offerOf(ask) : null);
  const target = offer.value?.target ?? null;
  const body = isField && target === null ? null : bodyOf(ask, target);
  const plan = usePlan(body);
  return { offer, plan: { ...plan, value: namedAs(offer.value, plan.value) }, body, target };
}

/** With the versions that were chosen from, which are those of the history; without an offer they are the plan's own. */
function namedAs(offer: GatedPlan | null, plan: GatedPlan | null): GatedPlan | null {
  if (plan === null || offer === null) return plan;
  const { currentVersion, targetVersion, revisions } = offer;
  return { ...plan, currentVersion, targetVersion, ...(revisions !== undefined && { revisions }) };
}

export const isBlocked = ({ findings }: Pick<GatedPlan, 'findings'>): boolean =>
  findings.some(({ severity, overridden }) => severity === 'block' && overridden !== true);
