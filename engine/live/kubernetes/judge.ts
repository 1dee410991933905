import type { ClusterAnswer, ClusterObject, LiveState } from '../../model/index.ts';
import { differences } from '../declared/compare.ts';
import { leftOver } from '../declared/left-over.ts';
import type { Judgement } from '../judgement/judgement.ts';
import { textAt } from '../read.ts';
import type { Phase } from '../workloads/rollout.ts';
import { workloadOf } from '../workloads/workloads.ts';
import { isOnlyCreated, type Look, mayHaveEnded } from './looks.ts';

/** What is held waits for a person; it is not sick, and no deadline makes it. */
const STATES: Readonly<Record<Phase, LiveState>> = {
  done: 'live',
  waiting: 'progressing',
  failed: 'degraded',
  held: 'pending',
};

/** A judgement of one object, and the object where its pods may say more. */
export interface Judged extends Judgement {
  readonly unwell: ClusterObject | null;
}

/** null: it says nothing of whether the revision is live. */
export function judgeLook(look: Look, answer: ClusterAnswer | undefined): Judged | null {
  const say = (judgement: Judgement): Judged => ({ ...judgement, unwell: null });
  if (look.problem !== null) return say(look.problem);
  if (answer === undefined)
    return say({ state: 'unconfirmed', code: 'CLUSTER_NONSENSE', message: 'There is no answer.' });
  if (answer.problem !== null) return say({ state: 'unconfirmed', ...answer.problem });
  const [live] = answer.objects;
  if (live === undefined)
    return mayHaveEnded(look.declared)
      ? null
      : say({ state: 'pending', code: 'OBJECT_MISSING', message: 'It is not there.' });
  return judgeLive(look, live);
}

function judgeLive({ declared }: Look, live: ClusterObject): Judged {
  const workload = workloadOf(declared);
  if (textAt(live, 'metadata', 'deletionTimestamp') !== undefined)
    return { state: 'progressing', message: 'It is being deleted.', unwell: null };
  const isMeant = (path: string) => workload.parts.some((part) => `${path}/`.startsWith(part));
  const missing = isOnlyCreated(declared) ? [] : otherFields(declared.value, live).filter(isMeant);
  const [first] = missing;
  if (first !== undefined) {
    const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
    return { state: 'pending', message: `It is not as it was delivered: ${first}${more}.`, unwell: null };
  }
  const { phase, message, code } = workload.judge(live);
  const isUnwell = phase === 'waiting' || phase === 'failed';
  return { state: STATES[phase], message, ...(code && { code }), unwell: isUnwell ? live : null };
}

/** Paths alone: values may be secret. */
const otherFields = (declared: ClusterObject, live: ClusterObject) => [
  ...differences(declared, live).map(({ path }) => path),
  ...leftOver(declared, live),
];
