/** What a kustomization refers to. What cannot be told for certain is refused: Kustomize must not find what was not seen here. */
import { type Document, isAlias, isMap as isMapNode } from 'yaml';
import { BacktrailError, MODE, quotePath, type TreeView } from '../../model/index.ts';
import { clean } from '../quoted-text.ts';
import { isInline, itemsOf, pathsIn, readStrictly, textIn, toMap } from './strict.ts';
import { isMap, type Value } from '../value.ts';

export const KUSTOMIZATION_FILES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

/** `any`: a file, or a folder with a kustomization. */
export type Wanted = 'file' | 'folder' | 'any' | 'plugin';

export interface Reference {
  readonly path: string;
  readonly wanted: Wanted;
  /** The error for this entry; `problem` is the end of a sentence that begins with it. */
  refuse(problem: string, hint?: string): BacktrailError;
}

export interface Kustomization {
  readonly references: readonly Reference[];
  /** Plugin configurations that stand in the kustomization itself. */
  readonly inline: readonly Reference[];
  /** Does it do nothing but list resources? */
  readonly listsOnly: boolean;
}

const LISTS: Readonly<Record<string, Wanted | 'patch'>> = {
  resources: 'any',
  bases: 'folder',
  components: 'folder',
  crds: 'file',
  configurations: 'file',
  generators: 'plugin',
  transformers: 'plugin',
  validators: 'plugin',
  patchesStrategicMerge: 'patch',
};
/** Lists of maps, and the keys in them that name files. */
const MAPS: Readonly<Record<string, readonly string[]>> = {
  patches: ['path'],
  patchesJson6902: ['path'],
  replacements: ['path'],
  configMapGenerator: ['files', 'env', 'envs'],
  secretGenerator: ['files', 'env', 'envs'],
};
const HELM = ['helmCharts', 'helmChartInflationGenerator', 'helmGlobals'];
const HARMLESS = new Set(
  (
    'apiVersion kind metadata namespace namePrefix nameSuffix buildMetadata sortOptions commonLabels labels ' +
    'commonAnnotations images imageTags replicas vars generatorOptions inventory'
  ).split(' '),
);
const LISTING = new Set(['apiVersion', 'kind', 'metadata', 'namespace', 'resources']);

/** The kustomization file of a folder, null where there is none. Kustomize itself refuses two. */
export async function findKustomization(view: TreeView, folder: string): Promise<string | null> {
  const found: string[] = [];
  for (const name of KUSTOMIZATION_FILES) {
    const path = folder === '' ? name : `${folder}/${name}`;
    const mode = (await view.entry(path))?.mode;
    if (mode !== undefined && mode !== MODE.tree) found.push(path);
  }
  if (found.length > 1)
    throw new BacktrailError(
      'RENDER_FAILED',
      `${quotePath(folder)} holds several kustomizations, as no folder may: ${found.map(quotePath).join(', ')}.`,
      { details: { path: folder } },
    );
  return found[0] ?? null;
}

export function readKustomization(path: string, bytes: Uint8Array): Kustomization {
  const file = readStrictly(path, bytes);
  const [document, second] = file.documents;
  if (second) throw file.fail(second.range?.[0] ?? 0, 'a kustomization is one document.');
  const references: Reference[] = [];
  const inline: Reference[] = [];
  const top = document ? toMap(file, document) : new Map<string, Value>();
  for (const [field, value] of top) {
    if (HARMLESS.has(field)) continue;
    const at = (steps: (string | number)[]) => offset(document, [field, ...steps]);
    const add = (wanted: Wanted | 'patch', text: string, steps: (string | number)[]) => {
      const refuse: Reference['refuse'] = (problem, hint) =>
        file.fail(at(steps), `the entry ${JSON.stringify(clean(text))} ${problem}`, {
          field,
          ...(hint !== undefined && { hint }),
        });
      const reference: Reference = { path: text, wanted: wanted === 'patch' ? 'file' : wanted, refuse };
      if ((wanted === 'patch' || wanted === 'plugin') && isInline(text)) {
        if (wanted === 'plugin') inline.push(reference);
      } else references.push(reference);
    };
    if (HELM.includes(field))
      throw file.fail(
        at([]),
        'Helm charts are not inflated: Kustomize would run helm, and fetch the chart.',
        {
          field,
          hint: 'Render the chart into files, or configure `delivery.command` with helm template.',
        },
      );
    const list = LISTS[field];
    const keys = MAPS[field];
    const fail = (problem: string) => file.fail(at([]), problem, { field });
    if (list !== undefined)
      for (const [index, item] of itemsOf(value, fail).entries()) add(list, textIn(item, fail), [index]);
    else if (keys !== undefined)
      for (const [index, item] of itemsOf(value, fail).entries()) {
        // Patches were a list of paths once, and still may be.
        if (field === 'patches' && !isMap(item)) add('patch', textIn(item, fail), [index]);
        else for (const text of pathsIn(item, keys, fail)) add('file', text, [index]);
      }
    else if (field === 'openapi') for (const text of pathsIn(value, ['path'], fail)) add('file', text, []);
    else
      throw fail(
        'is no field of a kustomization that is known here, so it cannot be told what it refers to.',
      );
  }
  return { references, inline, listsOnly: [...top.keys()].every((field) => LISTING.has(field)) };
}

function offset(document: Document | undefined, steps: readonly (string | number)[]): number {
  const { contents } = document ?? {};
  if (!isMapNode(contents)) return 0;
  for (let length = steps.length; length > 0; length -= 1) {
    const node: unknown = document?.getIn(steps.slice(0, length), true);
    if (
      typeof node === 'object' &&
      node !== null &&
      'range' in node &&
      !isAlias(node) &&
      Array.isArray(node.range)
    )
      return Number(node.range[0]);
  }
  return 0;
}

/**
 * Does Kustomize take this for an address? It does so before it looks for a file, in ways that changed from version to
 * version (git URLs, `git::`, `user@host:path`, `github.com/…`, `….git`, `_git/`, `?ref=`), so whatever looks like one is.
 */
export function remoteProblem(path: string): string | null {
  if (path.startsWith('/')) return 'is an absolute path.';
  const remote =
    /[:?]|\/\/|^[^/]*@|[^/]\.git(?:\/|$)|(?:^|\/)_git\/|^(?:www\.)?(?:github|gitlab|bitbucket)\.(?:com|org)(?:\/|$)/i;
  return remote.test(path) ? 'is remote, and nothing is fetched while rendering.' : null;
}
