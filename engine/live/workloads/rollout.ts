import type { JudgementCode } from '../judgement/judgement.ts';

/**
 * How far an object is, of whose specification its controller is to make something: `done`, `waiting` and `failed` as `kubectl rollout status`
 * says it; `held`: somebody stopped it on purpose, and time alone changes nothing.
 */
export type Phase = 'done' | 'waiting' | 'failed' | 'held';

export interface Rollout {
  readonly phase: Phase;
  /** One sentence, with counts. */
  readonly message: string;
  readonly code?: JudgementCode;
}

/** What judges one kind of object by what a cluster answered. Pure. */
export type JudgeRollout = (object: unknown) => Rollout;

export const UNOBSERVED: Rollout = {
  phase: 'waiting',
  message: 'Its controller has not seen its specification yet.',
};

/** `1 of 3 replicas are`, `1 of 1 replica is` */
export const ofReplicas = (part: number, whole: number) => share(part, whole, 'replica');
/** `1 of 3 pods are`, `1 of 1 pod is` */
export const ofPods = (part: number, whole: number) => share(part, whole, 'pod');

const share = (part: number, whole: number, noun: string) =>
  `${part} of ${whole} ${whole === 1 ? `${noun} is` : `${noun}s are`}`;
