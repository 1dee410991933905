/** What an incident would do, and whether it may begin. */
import type { Engine, Finding } from '../../engine/index.ts';
import type { Incident } from './ask.ts';
import { type Item, planAll, type Planning } from './plan.ts';
import { requireWhole } from './whole.ts';

interface Prepared {
  readonly items: readonly Item[];
  /** Files that a pattern may not have seen into. */
  readonly findings: readonly Finding[];
  /** Nothing is started, as a plan failed and the incident says this; null: it may begin. */
  readonly stoppedBy: string | null;
}

/** @throws INVALID_REQUEST, and what stands in the way of all plans */
export async function prepareIncident(
  engine: Engine,
  incident: Incident,
  planning: Planning,
): Promise<Prepared> {
  const { items, findings } = await planAll(engine, incident, planning);
  const { atomic, onFailure } = incident;
  if (atomic) requireWhole(items);
  const stops = atomic ? 'atomic: true' : onFailure === 'stop' ? 'onFailure: stop' : null;
  return { items, findings, stoppedBy: items.some(({ error }) => error) ? stops : null };
}
