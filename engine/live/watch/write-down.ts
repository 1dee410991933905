/** The statuses that follow from a look, with what becomes of them by itself: all in one commit. */
import { isFailure } from '../../model/index.ts';
import { decide, type Decision, isPassing } from './decide.ts';
import { did } from './memory.ts';
import type { Pass } from './pass.ts';
import type { StatusWish } from './ports.ts';
import { type NextStatus, nextStatus } from './statuses.ts';
import type { ScopeSeen, Watched } from './types.ts';

/** Decisions of one look: each takes a plan. */
const MOST_DECISIONS = 20;

/** Gives the scopes whose records name a request now. */
export async function writeDown(
  pass: Pass,
  due: readonly Watched[],
  seen: ReadonlyMap<string, ScopeSeen>,
): Promise<ReadonlySet<string>> {
  const { ports, memories } = pass;
  const wishes = new Map<StatusWish, { readonly scope: string; readonly next: NextStatus }>();
  const granted = new Map<string, number>();
  let decisions = 0;
  for (const each of due) {
    const memory = memories.get(each.scope);
    const next = memory && nextStatus(each, memory);
    if (!next || (next.isAutomatic && (decisions += 1) > MOST_DECISIONS)) continue;
    const place = JSON.stringify([each.coordinates.tenant, each.coordinates.environment]);
    const given = granted.get(place) ?? 0;
    const said = { next, seen: sentenceOf(seen.get(each.scope)), granted: given };
    const decision = await decisionOf(pass, each, said);
    if (decision === null) continue;
    if (decision.automatic?.request) granted.set(place, given + 1);
    const { coordinates, desired, scope } = each;
    wishes.set({ ...coordinates, ...desired, status: next.status, ...decision }, { scope, next });
  }
  const asked = new Set<string>();
  if (wishes.size === 0) return asked;
  for (const { of, refusal } of await ports.record([...wishes.keys()])) {
    const { scope, next } = wishes.get(of) ?? {};
    const memory = memories.get(scope ?? '');
    if (scope === undefined || next === undefined || memory === undefined) continue;
    memories.set(scope, did(memory, next.deed));
    const { automatic } = of;
    if (refusal !== null) pass.notices.push({ scope, ...refusal });
    else if (automatic?.request) asked.add(scope);
    if (automatic?.request === null)
      pass.notices.push({ scope, code: automatic.refused ?? '', message: of.note ?? '' });
  }
  return asked;
}

/** null: it cannot be decided now. */
async function decisionOf(
  { ports, memories, notices }: Pass,
  watched: Watched,
  { next, seen, granted }: { readonly next: NextStatus; readonly seen: string; readonly granted: number },
): Promise<Decision | null> {
  const memory = memories.get(watched.scope);
  if (!next.isAutomatic || memory === undefined) return { note: seen };
  try {
    return await decide(ports.auto, watched, memory, { seen, granted });
  } catch (error) {
    if (!isFailure(error)) throw error;
    const { code, message } = error;
    notices.push({ scope: watched.scope, code, message });
    // What passes is decided later; what does not is as good as a refusal.
    return isPassing(error)
      ? null
      : { note: `${seen} ${message}`, automatic: { request: null, refused: code } };
  }
}

function sentenceOf(seen: ScopeSeen | undefined): string {
  const worst = seen?.observations.find(({ state }) => state === seen.state) ?? seen?.observations[0];
  if (worst === undefined) return 'Seen in the cluster.';
  const text = `${worst.cluster}, ${worst.object}: ${worst.message}`.slice(0, 2000);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
