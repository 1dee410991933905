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

export const replicas = (count: number) => (count === 1 ? '1 replica' : `${count} replicas`);
export const pods = (count: number) => (count === 1 ? '1 pod' : `${count} pods`);
