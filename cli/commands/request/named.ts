/** One request by its id, or all open ones of an incident. */
import { BacktrailError } from '../../../engine/index.ts';

export const INCIDENT = 'in place of an id: every open request of this incident';
export const AUTHOR = 'with --incident: only what this person asked for';

export interface Named {
  readonly incident?: string | undefined;
  readonly author?: string | undefined;
}

/** @throws INVALID_REQUEST where it is not exactly one of them */
export function requireNamed(
  typed: string | undefined,
  { incident, author }: Named,
): { readonly typed: string } | { readonly incident: string; readonly author?: string } {
  if (typed !== undefined && incident === undefined && author === undefined) return { typed };
  if (typed === undefined && incident !== undefined)
    return { incident, ...(author !== undefined && { author }) };
  const message =
    typed !== undefined && incident !== undefined
      ? 'Both a request and an incident are named.'
      : typed === undefined
        ? 'No request is named.'
        : '--author needs --incident.';
  throw new BacktrailError('INVALID_REQUEST', message, {
    hint: 'Name a request by its id, or all of an incident with --incident ID.',
  });
}
