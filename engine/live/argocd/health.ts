import type { LiveState } from '../../model/index.ts';
import type { Judgement } from '../judgement/judgement.ts';
import { because } from '../judgement/message.ts';
import { short, type Standing } from '../judgement/standing.ts';
import { textAt } from '../read.ts';
import type { Application } from './application.ts';
import { resourceText } from './conditions.ts';

/** `Suspended` waits for a person (a paused rollout, a suspended CronJob), and `Missing` for an object that was not created. */
const STATES: Readonly<Record<string, LiveState>> = {
  Healthy: 'live',
  Progressing: 'progressing',
  Missing: 'progressing',
  Suspended: 'pending',
  Degraded: 'degraded',
};

/** Of an Application that is Synced at a commit that contains ours. */
export function healthOf(application: Application, { revision }: Standing): Judgement {
  const { health, healthMessage, resources, errors } = application;
  const state = Object.hasOwn(STATES, health) ? (STATES[health] ?? 'unconfirmed') : 'unconfirmed';
  if (state === 'live') return { state, revision, message: `Synced and Healthy at ${short(revision)}.` };
  const culprit = resourceText(resources, (resource) => textAt(resource, 'health', 'status') === health);
  return {
    state,
    revision,
    ...(health === 'Suspended' && { code: 'SUSPENDED' }),
    ...(state === 'unconfirmed' && { code: 'HEALTH_UNKNOWN' }),
    message: `Synced at ${short(revision)}, and its health is ${health}${because(healthMessage ?? culprit ?? errors[0])}.`,
  };
}
