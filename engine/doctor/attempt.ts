/** Checks that cannot be executed are answers, too. */
import { type BacktrailError, type Check, isFailure } from '../model/index.ts';

export type Settled<T> = { readonly value: T } | { readonly error: BacktrailError };

/** What we know to fail; anything else is thrown. */
export async function settled<T>(work: Promise<T>): Promise<Settled<T>> {
  try {
    return { value: await work };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { error };
  }
}

export function failed(area: Check['area'], name: string, error: BacktrailError): Check {
  const { code, message, hint, details } = error;
  return { area, name, status: 'fail', message, hint, details: { code, ...details } };
}

/** The checks, or the failure in place of them. */
export async function attempt(
  area: Check['area'],
  name: string,
  check: () => Promise<Check | readonly Check[] | null>,
): Promise<readonly Check[]> {
  const answer = await settled(check());
  if ('error' in answer) return [failed(area, name, answer.error)];
  return answer.value === null ? [] : [answer.value].flat();
}
