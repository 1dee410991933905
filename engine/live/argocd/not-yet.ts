import type { Judgement } from '../judgement/judgement.ts';
import { because } from '../judgement/message.ts';
import { short, type Standing } from '../judgement/standing.ts';
import type { Application } from './application.ts';

export interface Standings {
  readonly applied: Standing;
  readonly compared: Standing;
  /** Of its only source. */
  readonly address: string | undefined;
}

/**
 * Of an Application that does not run ours. A commit of another line does not become ours by waiting (it follows another branch, or history was
 * written anew): that is not confirmed, and not pending. Where it has compared ours it is about to, whatever it runs until then.
 */
export function notYet(application: Application, { applied, compared, address }: Standings): Judgement {
  const { sync, errors, isAutomated, phase, operationMessage } = application;
  const known = applied.relation === null ? compared : applied;
  const { relation, revision } = known;
  const failure =
    phase === 'Failed' || phase === 'Error'
      ? `the last operation failed${because(operationMessage)}`
      : undefined;
  const why = because(errors[0] ?? failure);
  if (compared.relation === 'contains')
    return {
      state: 'pending',
      revision,
      message: `Argo CD has seen ${short(compared.revision)} (${sync}) and has not applied it${isAutomated ? '' : '; it syncs by hand'}${why}.`,
    };
  if (relation === 'before' || compared.relation === 'before')
    return {
      state: 'pending',
      revision,
      message: `It is at ${short(revision)}, which is before the revision${why}.`,
    };
  if (relation === 'elsewhere')
    return {
      state: 'unconfirmed',
      revision,
      code: 'REVISION_ELSEWHERE',
      message: `It is at ${short(revision)}, a commit of another line${why}.`,
    };
  if (relation === 'unknown')
    return {
      state: 'unconfirmed',
      revision,
      code: 'REVISION_UNKNOWN',
      message: `It is at ${short(revision)}, which this repository does not have${address === undefined ? '' : `; it deploys ${address}`}${why}.`,
    };
  return { state: 'pending', message: `Argo CD has neither compared nor applied a revision${why}.` };
}
