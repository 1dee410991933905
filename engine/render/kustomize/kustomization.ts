/** The references of a kustomization. Ambiguous ones are refused: Kustomize must not find a file that was not found here. */
import { type Document, isAlias, isMap as isMapNode } from 'yaml';
import { BacktrailError, MODE, quotePath, type TreeView } from '../../model/index.ts';
import { cleanText } from '../quoted-text.ts';
import { isInline, itemsOf, pathsIn, readStrictly, textIn, toMap } from './strict.ts';
import { isMap, type Value } from '../value.ts';

const KUSTOMIZATION_FILES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

/** `any`: a file, or a folder with a kustomization. */
type ReferenceKind = 'file' | 'folder' | 'any' | 'plugin';

export interface Reference {
  readonly path: string;
  readonly wanted: ReferenceKind;
  /** The error for this entry; `problem` is the end of a sentence that starts with it. */
  refuse(problem: string, hint?: string): BacktrailError;
}

export interface Kustomization {
  readonly references: readonly Reference[];
  /** Plugin configurations inside the kustomization. */
  readonly inline: readonly Reference[];
  /** Whether it only lists resources. */
  readonly listsOnly: boolean;
}

const LISTS: Readonly<Record<string, ReferenceKind | 'patch'>> = {
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
/** Lists of maps, with the keys that name files. */
const MAPS: Readonly<Record<string, readonly string[]>> = {
  patches: ['path'],
  patchesJson6902: ['path'],
  replacements: ['path'],
  configMapGenerator: ['files', 'env', 'envs'],
  secretGenerator: ['files', 'env', 'envs'],
};
const HELM = ['helmCharts', 'helmChartInflationGenerator', 'helmGlobals'];
const FIELDS_WITHOUT_REFERENCES = new Set(
  (
    'apiVersion kind metadata namespace namePrefix nameSuffix buildMetadata sortOptions commonLabels labels ' +
    'commonAnnotations images imageTags replicas vars generatorOptions inventory'
  ).split(' '),
);
const LIST_FIELDS = new Set(['apiVersion', 'kind', 'metadata', 'namespace', 'resources']);

/**
 * The kustomization file of a folder; null if there is none.
 * @throws RENDER_FAILED if there are several, which Kustomize refuses as well
 */
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
      `${quotePath(folder)} has several kustomizations, but a folder may have only one: ${found.map(quotePath).join(', ')}.`,
      { details: { path: folder } },
    );
  return found[0] ?? null;
}

export function readKustomization(path: string, bytes: Uint8Array): Kustomization {
  const file = readStrictly(path, bytes);
  const [document, second] = file.documents;
  if (second) throw file.fail(second.range?.[0] ?? 0, 'a kustomization must be one document.');
  const references: Reference[] = [];
  const inline: Reference[] = [];
  const top = document ? toMap(file, document) : new Map<string, Value>();
  for (const [field, value] of top) {
    if (FIELDS_WITHOUT_REFERENCES.has(field)) continue;
    const at = (steps: (string | number)[]) => offset(document, [field, ...steps]);
    const add = (wanted: ReferenceKind | 'patch', text: string, steps: (string | number)[]) => {
      const refuse: Reference['refuse'] = (problem, hint) =>
        file.fail(at(steps), `the entry ${JSON.stringify(cleanText(text))} ${problem}`, {
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
        // `patches` may also be a list of paths (older versions).
        if (field === 'patches' && !isMap(item)) add('patch', textIn(item, fail), [index]);
        else for (const text of pathsIn(item, keys, fail)) add('file', text, [index]);
      }
    else if (field === 'openapi') for (const text of pathsIn(value, ['path'], fail)) add('file', text, []);
    else throw fail('is not a known field of a kustomization, so its references cannot be determined.');
  }
  return { references, inline, listsOnly: [...top.keys()].every((field) => LIST_FIELDS.has(field)) };
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
 * Returns the problem of a path that Kustomize would treat as a URL. It checks for URLs before files, in ways that differ between versions
 * (git URLs, `git::`, `user@host:path`, `github.com/…`, `….git`, `_git/`, `?ref=`), so anything similar is refused.
 */
export function remoteProblem(path: string): string | null {
  if (path.startsWith('/')) return 'is an absolute path.';
  const remote =
    /[:?]|\/\/|^[^/]*@|[^/]\.git(?:\/|$)|(?:^|\/)_git\/|^(?:www\.)?(?:github|gitlab|bitbucket)\.(?:com|org)(?:\/|$)/i;
  return remote.test(path) ? 'is remote; nothing is fetched while rendering.' : null;
}
