/**
 * Whether a cluster has what a manifest declares. Only declared fields count: what the API server adds (defaults, status, what it keeps for
 * itself) is no difference, and neither are the order of lists whose items have an identity, further items of such lists, zero values that it
 * leaves out, and other spellings of the same quantity or duration. A declared null is not declared.
 */
import type { ClusterObject, DriftField } from '../../model/index.ts';
import { isFields, valueAt } from '../read.ts';
import { mayBeAbsent } from './absent.ts';
import { identified, isSet, itemKeys } from './lists.ts';
import { isSameScalar } from './scalars.ts';

/** More are not told; nobody reads them. */
const MOST_DIFFERENCES = 1000;
const MOST_DEPTH = 64;

/** Not what a manifest declares, although exported ones have it. */
const OF_THE_SERVER = new Set(['apiVersion', 'kind', 'status', 'metadata']);
const OF_METADATA = ['labels', 'annotations', 'finalizers'];
const WRITTEN_BY_CONTROLLERS = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deployment.kubernetes.io/revision',
]);

/**
 * The declared fields that a live object does not have, or has otherwise; in the order of the manifest, at most MOST_DIFFERENCES. `path`: a JSON
 * pointer, with `[name=api]` for an item that is known by its name. An object that is answered in another version of its API has its metadata
 * compared alone: fields were moved and renamed between versions.
 */
export function differences(declared: ClusterObject, live: ClusterObject): DriftField[] {
  const found: DriftField[] = [];
  const kind = valueAt(declared, 'kind');
  const place = { kind: typeof kind === 'string' ? kind : '', keys: [], path: '', found };
  const metadata = step(place, 'metadata');
  for (const key of OF_METADATA)
    compare(valueAt(declared, 'metadata', key), valueAt(live, 'metadata', key), step(metadata, key));
  if (valueAt(live, 'apiVersion') !== valueAt(declared, 'apiVersion')) return found;
  for (const [key, value] of Object.entries(declared)) {
    if (OF_THE_SERVER.has(key)) continue;
    // A controller writes the rules of such a role.
    if (key === 'rules' && isFields(declared['aggregationRule'])) continue;
    compare(value, valueAt(live, key), step(place, key));
  }
  return found;
}

interface Place {
  readonly kind: string;
  /** `*` for an item. */
  readonly keys: readonly string[];
  readonly path: string;
  readonly found: DriftField[];
}

const step = (place: Place, key: string, shown = key): Place => ({
  ...place,
  keys: [...place.keys, key],
  path: `${place.path}/${shown.replaceAll('~', '~0').replaceAll('/', '~1')}`,
});

function compare(declared: unknown, live: unknown, place: Place): void {
  if (declared === null || declared === undefined || place.found.length >= MOST_DIFFERENCES) return;
  if (live === null || live === undefined) {
    if (!mayBeAbsent(declared, place.keys.at(-1) ?? '')) differ(declared, undefined, place);
  } else if (place.keys.length > MOST_DEPTH) differ(declared, live, place);
  else if (Array.isArray(declared)) compareLists(declared, live, place);
  else if (isFields(declared)) compareFields(declared, live, place);
  else if (!isSameScalar(declared, live, place.keys)) differ(declared, live, place);
}

function compareFields(declared: Readonly<Record<string, unknown>>, live: unknown, place: Place): void {
  if (!isFields(live)) return differ(declared, live, place);
  const isAnnotations = place.keys.at(-1) === 'annotations';
  for (const [key, value] of Object.entries(declared)) {
    if (isAnnotations && WRITTEN_BY_CONTROLLERS.has(key)) continue;
    compare(value, valueAt(live, key), step(place, key));
  }
}

function compareLists(declared: readonly unknown[], live: unknown, place: Place): void {
  if (!Array.isArray(live)) return differ(declared, live, place);
  if (isSet(place.keys)) {
    if (!declared.every((item) => live.includes(item))) differ(declared, live, place);
    return;
  }
  const names = itemKeys(place.kind, place.keys);
  const mine = names && identified(declared, names);
  const theirs = names && identified(live, names);
  if (mine && theirs) {
    for (const [identity, item] of mine)
      compareItem(item, theirs.get(identity), step(place, '*', `[${identity}]`));
    return;
  }
  if (declared.length !== live.length) return differ(declared, live, place);
  for (const [index, item] of declared.entries())
    compareItem(item, live[index], step(place, '*', `${index}`));
}

/** An item is declared even where nothing is in it. */
function compareItem(declared: unknown, live: unknown, place: Place): void {
  if (live === undefined || (live === null) !== (declared === null)) differ(declared, live, place);
  else compare(declared, live, place);
}

function differ(desired: unknown, live: unknown, { path, found }: Place): void {
  if (found.length < MOST_DIFFERENCES) found.push({ path, desired, ...(live !== undefined && { live }) });
}
