/** What a document names outside of itself. */
import { type Fields, isFields, textAt, valueAt } from './documents.ts';

export interface Reference {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly name: string;
}

const MAX_DEPTH = 60;

/** By the key that names it: its kind, and the key with the name. */
const NAMING: Readonly<Record<string, readonly [kind: Reference['kind'], name: string]>> = {
  secretKeyRef: ['Secret', 'name'],
  secretRef: ['Secret', 'name'],
  configMapKeyRef: ['ConfigMap', 'name'],
  configMapRef: ['ConfigMap', 'name'],
  configMap: ['ConfigMap', 'name'],
};

/** Secrets and ConfigMaps that a pod, or another object, needs; not those that are optional, and no names with variables in them. */
export function referencesIn(value: Fields): Reference[] {
  const found: Reference[] = [];
  visit(value, found, 0);
  return found;
}

function visit(value: unknown, found: Reference[], depth: number): void {
  if (depth > MAX_DEPTH) return;
  if (Array.isArray(value)) {
    for (const item of value) visit(item, found, depth + 1);
    return;
  }
  if (!isFields(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    const naming = Object.hasOwn(NAMING, key) ? NAMING[key] : undefined;
    if (naming !== undefined && isFields(inner)) add(found, naming[0], inner, naming[1]);
    // Of a volume, and of the TLS of an Ingress; whose other secrets are made by what names them.
    if (key === 'secret' && isFields(inner) && typeof inner['secretName'] === 'string')
      add(found, 'Secret', inner, 'secretName');
    // Items of projected volumes.
    if (key === 'secret' && isFields(inner) && typeof inner['name'] === 'string')
      add(found, 'Secret', inner, 'name');
    if (key === 'imagePullSecrets' && Array.isArray(inner))
      for (const item of inner) if (isFields(item)) add(found, 'Secret', item, 'name');
    visit(inner, found, depth + 1);
  }
}

function add(found: Reference[], kind: Reference['kind'], from: Fields, key: string): void {
  const name = textAt(from, key);
  if (name === undefined || from['optional'] === true || !/^[a-z0-9][a-z0-9.-]{0,252}$/.test(name)) return;
  found.push({ kind, name });
}

/** Paths of the repository that a kustomization names; not addresses, nor what lies outside. */
export function localPaths(folder: string, value: Fields): string[] {
  const lists = [
    'resources',
    'bases',
    'components',
    'patchesStrategicMerge',
    'crds',
    'configurations',
    'transformers',
    'generators',
  ];
  const plain = lists.flatMap((key) => textsIn(valueAt(value, key)));
  const patches = ['patches', 'patchesJson6902', 'replacements'].flatMap((key) => {
    const items = valueAt(value, key);
    return Array.isArray(items) ? items.flatMap((item) => textAt(item, 'path') ?? []) : [];
  });
  return [...plain, ...patches].flatMap((text) => resolved(folder, text) ?? []);
}

const textsIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

function resolved(folder: string, text: string): string | null {
  // Inline patches and addresses of other repositories.
  if (
    /[\n{]|:\/\/|^[\w-]+@|\?|^(?:github|gitlab|bitbucket)\.[a-z]+[/:]|^git::|\.git\b|^\//.test(text) ||
    text.length > 1000
  )
    return null;
  const names = folder === '' ? [] : folder.split('/');
  for (const name of text.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) return null;
  }
  return names.length === 0 ? null : names.join('/');
}
