import { conditionOf, countAt, textAt, valueAt } from '../read.ts';

/** A condition of an object of Flux. */
export interface Condition {
  /** `True`, `False` or `Unknown`. */
  readonly status: string;
  readonly reason: string;
  readonly message: string | undefined;
}

export function readCondition(object: unknown, type: string): Condition {
  const condition = conditionOf(object, type);
  return {
    status: textAt(condition, 'status') ?? 'Unknown',
    reason: textAt(condition, 'reason') ?? '',
    message: textAt(condition, 'message'),
  };
}

/** Whether its controller has seen its specification as it is. */
export const isObserved = (object: unknown): boolean => {
  const generation = countAt(object, 'metadata', 'generation');
  return generation === undefined || countAt(object, 'status', 'observedGeneration') === generation;
};

export const isSuspended = (object: unknown) => valueAt(object, 'spec', 'suspend') === true;

export const isDeleted = (object: unknown) => textAt(object, 'metadata', 'deletionTimestamp') !== undefined;
