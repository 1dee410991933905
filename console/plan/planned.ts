/** Plans, as they are asked for: one answer for what is asked for in the same words, until it is asked for anew. */
import { type Signal, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { GatedPlan } from '../contract.ts';
import { call } from '../data/call.ts';
import type { Loaded } from '../data/resource.ts';

export interface PlanBody {
  readonly tenant?: string;
  readonly environment: string;
  readonly service?: string;
  readonly mode: 'full' | 'service' | 'field';
  readonly target: string;
  readonly selectedFields?: readonly string[];
  readonly override?: readonly string[];
  readonly allowRemoval?: boolean;
  readonly wholeFile?: boolean;
  readonly hold?: boolean;
  readonly holdFor?: string;
}

const MOST = 12;
/** Milliseconds: an older one is asked for again when somebody comes to look at it. */
const FRESH = 60_000;
const NOTHING: Loaded<never> = { value: null, problem: null, isLoading: false, at: null };
const known = new Map<string, Signal<Loaded<GatedPlan>>>();

export function usePlan(body: PlanBody | null): Loaded<GatedPlan> {
  const key = body === null ? null : JSON.stringify(body);
  useEffect(() => {
    if (body === null) return;
    const { value, isLoading, at } = entryOf(body).peek();
    if (!isLoading && (value === null || Date.now() - (at ?? 0) > FRESH)) void planAgain(body);
  }, [key]);
  return body === null ? NOTHING : entryOf(body).value;
}

/** Gives the new one; null: there is none, and whoever uses it is told why. */
export async function planAgain(body: PlanBody): Promise<GatedPlan | null> {
  const state = entryOf(body);
  state.value = { ...state.peek(), isLoading: true };
  const answer = await call<GatedPlan>('/plans', { method: 'POST', body });
  state.value = answer.ok
    ? { value: answer.value, problem: null, isLoading: false, at: Date.now() }
    : { ...NOTHING, problem: answer.problem };
  return answer.ok ? answer.value : null;
}

function entryOf(body: PlanBody): Signal<Loaded<GatedPlan>> {
  const key = JSON.stringify(body);
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = signal<Loaded<GatedPlan>>(NOTHING);
  known.set(key, made);
  const [oldest] = known.keys();
  if (known.size > MOST && oldest !== undefined) known.delete(oldest);
  return made;
}
