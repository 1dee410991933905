/** What stands in sampled files. Nothing that the repository writes there can cost more than a look. */
import { isFailure, type TreeView } from '../../model/index.ts';
import { decode } from '../../yaml/core/text.ts';
import { tryParse } from '../../yaml/core/try-parse.ts';

/** Bytes of a file that is looked into. */
const LIMIT = 256 * 1024;
/** Files that are looked into, and their bytes together, whatever the size of the tree. */
const BUDGET = 600;
const BYTES = 8 * 1024 * 1024;

/** Reads sampled files as plain values, one a document; [] for what is no YAML. Each file once. */
export type ReadValues = (path: string) => Promise<readonly unknown[]>;

export function valueReader(view: TreeView): ReadValues {
  const known = new Map<string, Promise<readonly unknown[]>>();
  let left = BYTES;
  const spend = (bytes: number) => (left -= bytes) >= 0;
  return (path) => {
    const found = known.get(path);
    if (found) return found;
    const read = known.size < BUDGET && left > 0 ? readValues(view, path, spend) : Promise.resolve([]);
    known.set(path, read);
    return read;
  };
}

async function readValues(
  view: TreeView,
  path: string,
  spend: (bytes: number) => boolean,
): Promise<readonly unknown[]> {
  try {
    const bytes = await view.read(path);
    const text = bytes && bytes.length <= LIMIT && spend(bytes.length) ? decode(bytes) : null;
    const documents = text === null ? null : tryParse(text);
    return (documents ?? []).map((document): unknown => document.toJS({ maxAliasCount: 50 }));
  } catch (error) {
    // Too many aliases, too deep, or a file over the reader's limit: it says nothing about the layout.
    if (
      error instanceof ReferenceError ||
      error instanceof RangeError ||
      (isFailure(error) && error.code === 'FILE_TOO_LARGE')
    )
      return [];
    throw error;
  }
}

export type Plain = Readonly<Record<string, unknown>>;

export const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An own value: a file may well say `__proto__`. */
export const at = (value: unknown, key: string): unknown =>
  isPlain(value) && Object.hasOwn(value, key) ? value[key] : undefined;

const DEPLOYED = [
  'chart',
  'version',
  'image',
  'tag',
  'targetRevision',
  'revision',
  'newTag',
  'replicas',
  'values',
  'enabled',
];

export const looksDeployed = (value: unknown): boolean =>
  isPlain(value) && DEPLOYED.some((key) => Object.hasOwn(value, key));

/** A list of named items, or a map of them, that stands in a file. */
export interface Collection {
  /** Keys from the document's root. */
  readonly pointer: readonly string[];
  readonly kind: 'list' | 'map';
  readonly names: readonly string[];
  /** Do most of them say what is deployed? */
  readonly deployed: boolean;
}

/** Collections of a file of one document that is no manifest, up to two keys deep. */
export function collectionsIn(documents: readonly unknown[]): Collection[] {
  const [root, ...rest] = documents.filter((document) => document !== null);
  if (rest.length > 0 || !isPlain(root) || at(root, 'kind') !== undefined) return [];
  const whole = Object.values(root);
  const isWhole = whole.length > 1 && whole.every(looksDeployed);
  const all: Collection[] = isWhole
    ? [{ pointer: [], kind: 'map', names: Object.keys(root), deployed: true }]
    : [];
  return [
    ...all,
    ...Object.entries(root).flatMap(([key, value]) => [
      ...collection([key], value),
      ...(isPlain(value)
        ? Object.entries(value).flatMap(([inner, deeper]) => collection([key, inner], deeper))
        : []),
    ]),
  ];
}

function collection(pointer: readonly string[], value: unknown): Collection[] {
  if (pointer.some((key) => !/^[A-Za-z][\w.-]*$/.test(key))) return [];
  if (Array.isArray(value)) {
    const names = value.map((item) => at(item, 'name')).filter((name) => typeof name === 'string');
    if (names.length === 0 || names.length < value.length) return [];
    return [{ pointer, kind: 'list', names, deployed: most(value, looksDeployed) }];
  }
  if (!isPlain(value)) return [];
  const names = Object.keys(value);
  const deployed = most(Object.values(value), looksDeployed);
  return names.length === 0 ? [] : [{ pointer, kind: 'map', names, deployed }];
}

const most = (values: readonly unknown[], holds: (value: unknown) => boolean) =>
  values.filter(holds).length * 2 > values.length;

const WORKLOADS = new Set(
  'HelmRelease Application Deployment StatefulSet DaemonSet CronJob Job Rollout Pod ReplicaSet Service App HelmChart Canary'.split(
    ' ',
  ),
);

const kindsOf = (documents: readonly unknown[]) =>
  documents.map((document) => at(document, 'kind')).filter((kind) => typeof kind === 'string');
const isOverlay = (document: unknown) => String(at(document, 'apiVersion')).startsWith('kustomize.config.');

/** May this file be what a service is deployed by? Values, a release, a workload; not what only wires others. */
export function mayDeploy(documents: readonly unknown[]): boolean {
  if (documents.some(isOverlay) || kindsOf(documents).length === 0)
    return documents.some((document) => document !== null && document !== undefined);
  return holdsWorkload(documents);
}

/** Does it hold what runs in a cluster? */
export const holdsWorkload = (documents: readonly unknown[]): boolean =>
  kindsOf(documents).some((kind) => WORKLOADS.has(kind));
