/** The commands, in the order of the help. Each is loaded only where it is run. */
import type { Program } from '../commands/command.ts';

export type AddCommand = (program: Program) => void;

export const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  init: async () => (await import('../commands/init/index.ts')).addInit,
  environments: async () => (await import('../commands/environments.ts')).addEnvironments,
  history: async () => (await import('../commands/history.ts')).addHistory,
  show: async () => (await import('../commands/show.ts')).addShow,
  compare: async () => (await import('../commands/compare.ts')).addCompare,
  plan: async () => (await import('../commands/plan.ts')).addPlan,
  rollback: async () => (await import('../commands/rollback.ts')).addRollback,
  resume: async () => (await import('../commands/holds/resume.ts')).addResume,
  holds: async () => (await import('../commands/holds/list.ts')).addHolds,
  guard: async () => (await import('../commands/holds/guard.ts')).addGuard,
  incident: async () => (await import('../commands/incident.ts')).addIncident,
  rehearse: async () => (await import('../commands/rehearse.ts')).addRehearse,
  status: async () => (await import('../commands/live/status.ts')).addStatus,
  drift: async () => (await import('../commands/live/drift.ts')).addDrift,
  log: async () => (await import('../commands/log.ts')).addLog,
  deployment: async () => (await import('../commands/deployment.ts')).addDeployment,
  reconcile: async () => (await import('../commands/reconcile.ts')).addReconcile,
  request: async () => (await import('../commands/request/index.ts')).addRequest,
  'break-glass': async () => (await import('../commands/break-glass.ts')).addBreakGlass,
  audit: async () => (await import('../commands/audit.ts')).addAudit,
  worker: async () => (await import('../commands/worker.ts')).addWorker,
  serve: async () => (await import('../commands/serve.ts')).addServe,
  mcp: async () => (await import('../commands/mcp/index.ts')).addMcp,
  token: async () => (await import('../commands/token/index.ts')).addToken,
  doctor: async () => (await import('../commands/doctor.ts')).addDoctor,
  completion: async () => (await import('../commands/completion.ts')).addCompletion,
  complete: async () => (await import('../commands/completion.ts')).addCompletion,
};
