/** For tests and measurements of this repository only; no part of the package. */
export * from './index.ts';
export {
  confirmPlan,
  type EngineSettings as EngineOptions,
  type InnerEngine as Engine,
  openInner as openEngine,
} from './inner.ts';
export type { ExecuteOptions } from './rollback/execute.ts';
export type { Ask, Planned } from './rollback/planning/planned.ts';
export type { Plan, RollbackRequest } from './model/index.ts';
export { STEPS } from './model/index.ts';
