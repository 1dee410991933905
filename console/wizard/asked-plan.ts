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
  return { offer, plan: usePlan(body), body, target };
}

export const isBlocked = ({ findings }: Pick<GatedPlan, 'findings'>): boolean =>
  findings.some(({ severity, overridden }) => severity === 'block' && overridden !== true);
