import type { ClusterObject } from '../../model/index.ts';
import { isFields, textAt } from '../read.ts';
import { differences } from './compare.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** What no default of the API server brings back once it is removed: items with an identity, and entries and fields that nobody else sets. */
const REMOVABLE =
  /\][^/]*$|\/(?:annotations|labels|nodeSelector|limits|requests|data)(?:\/[^/]+)?$|\/(?:env|envFrom|ports|initContainers|volumes|volumeMounts|imagePullSecrets|hostAliases|resources|command|args|affinity|tolerations|[a-z]+Probe|lifecycle)$/;

/**
 * Fields that a manifest does not have any more and the cluster still has: kubectl and Argo CD write what they applied last into an annotation,
 * and what is in it, is not declared and is still there was not removed yet. A comparison of declared fields alone would take a revision that
 * only removed a variable for applied at once. [] where there is no annotation (server-side apply): nobody can tell then.
 */
export function leftOver(declared: ClusterObject, live: ClusterObject): readonly string[] {
  const applied = parse(textAt(live, 'metadata', 'annotations', LAST_APPLIED));
  if (applied === null) return [];
  const absent = new Set(differences(applied, live).map(({ path }) => path));
  const isThere = (path: string) =>
    !path.split('/').some((_, index, parts) => absent.has(parts.slice(0, index + 1).join('/')));
  return differences(applied, declared)
    .filter((difference) => !('live' in difference))
    .map(({ path }) => path)
    .filter((path) => path.length <= MOST_PATH && REMOVABLE.test(path) && isThere(path));
}

/** Characters; an annotation is at most 256 KiB. */
const MOST = 300_000;
/** Characters; what looks for the end of a path costs by the square of its length. */
const MOST_PATH = 2000;

function parse(text: string | undefined): ClusterObject | null {
  if (text === undefined || text.length > MOST) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}
