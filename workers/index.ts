/** The only door to the queue: adding and following rollbacks, and the process that executes them. */
export { enqueueMany, enqueueRollback, enqueueWaiting, jobStates, openQueue } from './queue.ts';
export type { Enqueued, EnqueuedMany, JobState, RollbackQueue } from './queue.ts';
export { checkQueue } from './checkup.ts';
export { followMany, followRollback } from './follow.ts';
export type { Followed, FollowManyOptions, FollowOptions } from './follow.ts';
export { executeInBatches } from './batches.ts';
export type { BatchEngine } from './batches.ts';
export { createPushBudget } from './redis/push-budget.ts';
export { startWorker } from './worker.ts';
export type { RunningWorker, WorkerSetup } from './worker.ts';
export type { Reconciling } from './reconciler.ts';
export type { ExecuteRollback, StepDone } from './run-job.ts';
export { exitOnSignal } from './shutdown.ts';
export { createLogger } from './log.ts';
export type { Logger } from './log.ts';
export type { RollbackJob, RollbackProgress } from './payload.ts';
export { MAX_ATTEMPTS, waitBefore } from './failure-policy.ts';
export { addressOf } from './redis.ts';
