/** The Kubernetes objects that a plan changes, before and after: from what is delivered, else from the files themselves. */
import type { FileChange } from '../../model/index.ts';
import type { CheckInput } from '../check-input.ts';
import { isPlainChange } from './plain-change.ts';
import { type Documents, type Fields, textAt } from './documents.ts';

export interface Manifest {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** The first file that has it. */
  readonly path: string;
  readonly value: Fields;
}

/** By what the API server tells them apart: group, kind, namespace and name. */
type Manifests = ReadonlyMap<string, Manifest>;

export interface ManifestChanges {
  readonly before: Manifests;
  readonly after: Manifests;
}

const known = new WeakMap<CheckInput, Promise<ManifestChanges>>();

/** Read once for all checks of a plan. */
export function manifestChanges(input: CheckInput): Promise<ManifestChanges> {
  const found = known.get(input) ?? readChanges(input);
  known.set(input, found);
  return found;
}

/** Without manifests to compare with, as before the first delivery, the files say what there is. */
async function readChanges({ plan, outputs, documents }: CheckInput): Promise<ManifestChanges> {
  const isComparable = outputs.length > 0 && outputs.every(({ before }) => before !== null);
  const files = isComparable ? outputs : [...plan.files, ...outputs.filter(({ before }) => before !== null)];
  const [before, after] = [new Map<string, Manifest>(), new Map<string, Manifest>()];
  for (const file of files) {
    const [old, next] = [await documents.text(file.before), await documents.text(file.after)];
    // A Job runs what its template says; what is immutable may hold anything.
    if (old !== null && next !== null && !/Job|immutable/.test(old) && isPlainChange(old, next)) continue;
    await collect(documents, { file, side: 'before', into: before });
    await collect(documents, { file, side: 'after', into: after });
  }
  return { before, after };
}

async function collect(
  documents: Documents,
  {
    file,
    side,
    into,
  }: { readonly file: FileChange; readonly side: 'before' | 'after'; readonly into: Map<string, Manifest> },
): Promise<void> {
  const { path } = file;
  // Cheaper than parsing what holds no objects.
  if (!(await documents.text(file[side]))?.includes('kind')) return;
  for (const value of (await documents.read(path, file[side])) ?? []) {
    const manifest = manifestOf(path, value);
    if (manifest !== null && !into.has(identityOf(manifest))) into.set(identityOf(manifest), manifest);
  }
}

export function manifestOf(path: string, value: Fields): Manifest | null {
  const [kind, apiVersion, name] = [
    textAt(value, 'kind'),
    textAt(value, 'apiVersion'),
    textAt(value, 'metadata', 'name'),
  ];
  if (kind === undefined || apiVersion === undefined || name === undefined) return null;
  return { kind, name, namespace: textAt(value, 'metadata', 'namespace') ?? '', path, value };
}

/** The version of a group is how it is written, not what it is. */
export function identityOf({ kind, name, namespace, value }: Manifest): string {
  const group = /^(.*)\//.exec(textAt(value, 'apiVersion') ?? '')?.[1] ?? '';
  return JSON.stringify([group, kind, namespace, name]);
}

export const nameOf = ({ kind, name, namespace }: Manifest) =>
  `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
