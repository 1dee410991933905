import { type Document, isMap as isMapNode } from 'yaml';
import { MODE, type TreeView } from '../model/index.ts';
import { type Budget, convert } from './convert.ts';
import { readSource, type SourceFile } from './source-file.ts';
import type { Variables } from './plain/substitute.ts';
import type { ServiceUnit } from './service-unit.ts';
import { compareText, isMap, textOf, type Value, type ValueMap } from './value.ts';

/** A Kubernetes object and its source. */
export interface Manifest {
  readonly value: ValueMap;
  readonly file: SourceFile;
  readonly offset: number;
}

const MANIFEST_FILE = /\.(?:ya?ml|json)$/;
const OTHER_FILE = /^(?:\.|kustomization\.ya?ml$)|\.(?:enc|sops)\.(?:ya?ml|json)$/;

/** Files directly in a service's folder that may have manifests, sorted by name. Symlinks are not followed. */
export async function manifestFiles(view: TreeView, unit: ServiceUnit): Promise<readonly SourceFile[]> {
  const { directory } = unit;
  if (directory === null) return [];
  const files: SourceFile[] = [];
  const entries = [...(await view.list(directory))].sort((a, b) => compareText(a.name, b.name));
  for (const { name, mode } of entries) {
    const path = directory === '' ? name : `${directory}/${name}`;
    const regular = mode === MODE.file || mode === MODE.executable;
    if (!regular || !MANIFEST_FILE.test(name) || OTHER_FILE.test(name)) continue;
    if (unit.variableFiles.includes(path)) continue;
    const bytes = await view.read(path);
    if (bytes !== null) files.push(readSource(path, bytes));
  }
  return files;
}

/**
 * The Kubernetes objects of a file, with variables inserted. A document with apiVersion and kind is an object; with only one of the
 * two it is an error (RENDER_FAILED), with neither it is something else (values, settings) and ignored. Documents encrypted by SOPS are
 * ignored too: the deployer decrypts them from their own file. Plain Secrets are included: leaving one out would make a pruning deployer
 * delete it.
 */
export function manifestsOf(file: SourceFile, context: { budget: Budget; variables: Variables }): Manifest[] {
  const manifests: Manifest[] = [];
  for (const document of file.documents) {
    if (!isManifest(file, document)) continue;
    const value = convert({ file, document, ...context });
    if (isMap(value)) manifests.push({ value, file, offset: offsetOf(document) });
  }
  return manifests;
}

function isManifest(file: SourceFile, document: Document): boolean {
  const { contents } = document;
  if (!isMapNode(contents) || contents.has('sops')) return false;
  const [apiVersion, kind] = [contents.get('apiVersion'), contents.get('kind')];
  if (typeof apiVersion !== 'string' && typeof kind !== 'string') return false;
  if (typeof apiVersion !== 'string')
    throw file.fail(offsetOf(document), 'must be text.', { field: 'apiVersion' });
  if (typeof kind !== 'string') throw file.fail(offsetOf(document), 'must be text.', { field: 'kind' });
  return !apiVersion.startsWith('kustomize.config.k8s.io/') && !isWorkloadKind(apiVersion, kind);
}

/** Backtrail's own service specification, which is not a Kubernetes object. */
export const isWorkloadKind = (apiVersion: unknown, kind: unknown): boolean =>
  kind === 'Workload' &&
  (typeof apiVersion !== 'string' || !apiVersion.includes('/') || apiVersion.startsWith('backtrail.dev/'));

const offsetOf = (document: Document): number => document.contents?.range?.[0] ?? 0;

/** Kinds that others depend on come first in the output, in this order; all other kinds follow by name. */
const FIRST = ['Namespace', 'CustomResourceDefinition', 'ServiceAccount', 'Secret', 'ConfigMap'];

interface Identity {
  readonly rank: number;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly group: string;
}

/** Sorts by rank, kind, namespace, name, group, regardless of file names. Refuses a duplicate object. */
export function sortManifests(manifests: readonly Manifest[]): readonly Value[] {
  const identified = manifests.map((manifest) => ({ manifest, identity: identify(manifest.value) }));
  const seen = new Map<string, Manifest>();
  for (const { manifest, identity } of identified) {
    if (identity.name === '') continue;
    const key = JSON.stringify([identity.group, identity.kind, identity.namespace, identity.name]);
    const other = seen.get(key);
    if (other) {
      const where = other.file.path === manifest.file.path ? 'in the same file' : `in ${other.file.path}`;
      throw manifest.file.fail(manifest.offset, `${identity.kind} ${identity.name} is also ${where}.`);
    }
    seen.set(key, manifest);
  }
  return identified
    .sort((a, b) => compareIdentity(a.identity, b.identity))
    .map(({ manifest }) => manifest.value);
}

function identify(value: ValueMap): Identity {
  const metadata = value.get('metadata');
  const [kind, apiVersion] = [textAt(value, 'kind'), textAt(value, 'apiVersion')];
  const rank = FIRST.indexOf(kind);
  return {
    rank: rank === -1 ? FIRST.length : rank,
    kind,
    namespace: textAt(metadata, 'namespace'),
    name: textAt(metadata, 'name'),
    group: apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '',
  };
}

const textAt = (map: Value | undefined, key: string): string =>
  isMap(map) ? (textOf(map.get(key)) ?? '') : '';

const compareIdentity = (a: Identity, b: Identity): number =>
  a.rank - b.rank ||
  compareText(a.kind, b.kind) ||
  compareText(a.namespace, b.namespace) ||
  compareText(a.name, b.name) ||
  compareText(a.group, b.group);
