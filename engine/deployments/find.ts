import { BacktrailError, isDeploymentId } from '../model/index.ts';
import type { DeploymentStore } from './store.ts';

/** The id of a record, or six or more characters of its end. @throws DEPLOYMENT_UNKNOWN */
export function findOne(store: DeploymentStore, typed: string): string {
  const text = typed.trim().slice(0, 60);
  const end = text.replace(/^dep-/i, '').toUpperCase();
  const isEnd = /^[0-9A-HJKMNP-TV-Z]{6,26}$/.test(end);
  const found = isEnd ? store.known(({ id }) => id.endsWith(end), `${end}"`) : [];
  const [one, other] = found;
  if (one !== undefined && other === undefined) return one.id;
  if (other === undefined) throw unknownRecord(text);
  throw new BacktrailError('DEPLOYMENT_UNKNOWN', `${shown(text)} names several records.`);
}

export const unknownRecord = (text: string) =>
  new BacktrailError('DEPLOYMENT_UNKNOWN', `There is no record ${shown(text)}.`);

function shown(text: string): string {
  const short = text.slice(0, 60);
  return isDeploymentId(short) ? short : JSON.stringify(short);
}
