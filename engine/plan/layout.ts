/** The layout of a repository: which tenants, environments and services exist, and what belongs to each. */
import {
  BacktrailError,
  type Config,
  type Coordinates,
  formatCoordinates,
  MODE,
  type TreeView,
} from '../model/index.ts';
import { listNames } from '../yaml/locate.ts';
import { parseText } from '../yaml/document.ts';
import type { Selector } from '../yaml/selector.ts';
import { compileKeep, type Keep } from './keep.ts';
import {
  type Bindings,
  bindPath,
  bindSelector,
  compilePattern,
  fill,
  hasPlaceholder,
  isCoordinate,
  literalSegment,
  matchSegment,
  matchTemplate,
  type Pattern,
  type PathSelection,
  toBindings,
} from './pattern.ts';
import { CONFIG_PATH } from './config.ts';
import picomatch from 'picomatch';

export interface Layout {
  readonly config: Config;
  readonly hasTenant: boolean;
  readonly environment: readonly Pattern[];
  readonly service: readonly Pattern[];
  readonly keep: Keep;
  /** Delivery outputs and our own configuration: no scope holds them, they make no revision. */
  isOwn(path: string): boolean;
  isBinding(path: string): boolean;
  isVariables(path: string): boolean;
}

export function compileLayout(config: Config): Layout {
  const environment = config.layout.environment.map(compilePattern);
  const service = config.layout.service.map(compilePattern);
  const output = config.delivery ? bindPath(compilePattern(config.delivery.output), {}) : null;
  const globs = (patterns: readonly string[]) =>
    patterns.length === 0 ? () => false : picomatch([...patterns], { dot: true });
  return {
    config,
    environment,
    service,
    hasTenant: [...environment, ...service].some(({ placeholders }) => placeholders.has('tenant')),
    keep: compileKeep(config.keep),
    isOwn: (path) =>
      path === '.backtrail' ||
      path.startsWith(`${CONFIG_PATH.split('/')[0]}/`) ||
      output?.match(path) != null,
    isBinding: globs(config.layout.bindings),
    isVariables: globs(config.layout.variables),
  };
}

/** What a scope owns: whole paths, or parts of the files that `paths` selects. */
export interface Selection {
  readonly paths: PathSelection;
  /** null: whole paths. May hold an unbound {service}. */
  readonly selector: Selector | null;
}

/** The selections of an environment (its own and those of its services) or of one service. */
export function selectionsOf(layout: Layout, coordinates: Coordinates): Selection[] {
  const bindings = toBindings(coordinates);
  const patterns =
    coordinates.service === undefined ? [...layout.environment, ...layout.service] : layout.service;
  const selections = patterns.map((pattern) => ({
    paths: bindPath(pattern, bindings),
    selector: pattern.selector && bindSelector(pattern.selector, bindings),
  }));
  return selections.filter(({ paths, selector }, index) => {
    const covers = (other: Selection, position: number) =>
      position !== index &&
      other.selector === null &&
      other.paths.kind !== 'glob' &&
      (paths.prefix === other.paths.prefix
        ? selector !== null || (position < index && paths.kind === other.paths.kind)
        : paths.prefix.startsWith(`${other.paths.prefix}/`));
    return !selections.some(covers);
  });
}

/** All tenants, environments and services that the layout finds in a tree, below the coordinates that are given; sorted. */
export async function discover(
  view: TreeView,
  layout: Layout,
  within: Partial<Coordinates> = {},
): Promise<Coordinates[]> {
  const found = new Map<string, Coordinates>();
  const seen = new Map<string, Promise<Selectable>>();
  for (const pattern of [...layout.environment, ...layout.service]) {
    for (const bindings of await expand({ view, pattern, bindings: toBindings(within), parsed: seen })) {
      if (bindings.environment === undefined) continue;
      const coordinates = { ...bindings, environment: bindings.environment };
      found.set(formatCoordinates(coordinates), coordinates);
      const { service: _, ...environment } = coordinates;
      found.set(formatCoordinates(environment), environment);
    }
  }
  return [...found.values()].sort((a, b) => compareText(formatCoordinates(a), formatCoordinates(b)));
}

export const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

type Selectable = { names(parent: Selector, key: string | null): string[] } | null;

interface Expansion {
  readonly view: TreeView;
  readonly pattern: Pattern;
  readonly bindings: Bindings;
  /** Files read during this discovery, by path. */
  readonly parsed: Map<string, Promise<Selectable>>;
}

/** Every way in which the placeholders of a pattern fit the tree. Reads only the folders that the pattern needs. */
async function expand({ view, pattern, bindings, parsed }: Expansion): Promise<Bindings[]> {
  const results: Bindings[] = [];
  const visit = async (folder: string, depth: number, known: Bindings): Promise<void> => {
    const segment = pattern.segments[depth];
    if (segment === undefined) return;
    const last = depth === pattern.segments.length - 1;
    const join = (name: string) => (folder === '' ? name : `${folder}/${name}`);
    const arrive = async (path: string, learned: Bindings) => {
      if (!last) return visit(path, depth + 1, learned);
      results.push(...(await selectIn(path, learned)));
    };
    if (segment === '**') {
      const entries = await view.list(folder);
      if (last) {
        if (entries.length > 0) results.push(...(await selectIn(folder, known)));
        return;
      }
      await visit(folder, depth + 1, known);
      for (const entry of entries)
        if (entry.mode === MODE.tree && entry.utf8) await visit(join(entry.name), depth, known);
      return;
    }
    const literal = literalSegment(segment, known);
    if (literal !== null) {
      const entry = await view.entry(join(literal));
      if (entry && (last || entry.mode === MODE.tree)) await arrive(join(literal), known);
      return;
    }
    for (const entry of await view.list(folder)) {
      if (!entry.utf8 || (!last && entry.mode !== MODE.tree)) continue;
      const learned = matchSegment(segment, entry.name, known);
      if (learned) await arrive(join(entry.name), learned);
    }
  };
  const selectIn = async (path: string, known: Bindings): Promise<Bindings[]> => {
    if (pattern.selector === null) return [known];
    let file = parsed.get(path);
    if (!file) parsed.set(path, (file = readSelectable(view, path)));
    const selectable = await file;
    return selectable
      ? expandSteps(selectable, bindSelector(pattern.selector, known), known).map(({ bindings }) => bindings)
      : [];
  };
  await visit('', 0, bindings);
  return results;
}

async function readSelectable(view: TreeView, path: string): Promise<Selectable> {
  const bytes = await view.read(path);
  return bytes && selectable(new TextDecoder().decode(bytes));
}

/** A text whose names can be listed; null where it does not parse (discovery goes on without it). */
function selectable(text: string): Selectable {
  try {
    const parsed = parseText(text);
    return { names: (parent, key) => listNames(parsed, parent, key) };
  } catch {
    return null;
  }
}

/** The bound selectors that a selector with placeholders stands for in a text; sorted by what they bind. */
export function expandSelector(
  text: string,
  selector: Selector,
  bindings: Bindings,
): { selector: Selector; bindings: Bindings }[] {
  if (!selector.some(isOpen)) return [{ selector, bindings }];
  const file = selectable(text);
  return file ? expandSteps(file, selector, bindings) : [];
}

function expandSteps(
  file: NonNullable<Selectable>,
  selector: Selector,
  bindings: Bindings,
): { selector: Selector; bindings: Bindings }[] {
  const at = selector.findIndex(isOpen);
  const step = selector[at];
  if (!step || 'index' in step) {
    const exists = selector.length === 0 || namesLast(file, selector);
    return exists ? [{ selector, bindings }] : [];
  }
  const parent = selector.slice(0, at);
  const [key, template] =
    'key' in step
      ? [null, step.key]
      : (Object.entries(step.match).find(([, value]) => hasPlaceholder(value)) ?? ['', '']);
  return file.names(parent, key).flatMap((name) => {
    const learned = matchTemplate(template, name, bindings);
    return learned && isCoordinate(name) ? expandSteps(file, bindSelector(selector, learned), learned) : [];
  });
}

/** Is the last step of a bound selector there? */
function namesLast(file: NonNullable<Selectable>, selector: Selector): boolean {
  const last = selector.at(-1);
  if (!last || 'index' in last) return true;
  const [key, value] = 'key' in last ? [null, last.key] : (Object.entries(last.match)[0] ?? ['', '']);
  return file.names(selector.slice(0, -1), key).includes(value);
}

function isOpen(step: Selector[number]): boolean {
  return 'key' in step
    ? hasPlaceholder(step.key)
    : 'match' in step && Object.values(step.match).some(hasPlaceholder);
}

/** The service of an environment that a path belongs to, or null. */
export function serviceOfPath(layout: Layout, coordinates: Coordinates, path: string): string | null {
  if (coordinates.service !== undefined) return coordinates.service;
  for (const pattern of layout.service) {
    if (pattern.selector !== null) continue;
    const service = bindPath(pattern, toBindings(coordinates)).match(path)?.service;
    if (service !== undefined) return service;
  }
  return null;
}

/** Folders that the scope owns as a whole (`…/**`), and folders of its files; '' is never one. */
export function foldersOf(patterns: readonly Pattern[], coordinates: Partial<Coordinates>): string[] {
  const folders = patterns.map((pattern) => {
    const { kind, prefix } = bindPath(pattern, toBindings(coordinates));
    return kind === 'path'
      ? prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')))
      : kind === 'tree'
        ? prefix
        : '';
  });
  return [...new Set(folders.filter((folder) => folder !== ''))];
}

/** The folder that an environment owns as a whole, '' where the layout gives it none. */
export function environmentFolder(layout: Layout, { tenant, environment }: Coordinates): string {
  const bindings = toBindings({ ...(tenant !== undefined && { tenant }), environment });
  const owned = layout.environment
    .map((pattern) => bindPath(pattern, bindings))
    .find(({ kind }) => kind === 'tree');
  return owned?.prefix ?? '';
}

/** A field as the record writes it: relative to the environment's folder, where there is one. */
export function recordField(layout: Layout, coordinates: Coordinates, field: string): string {
  const folder = environmentFolder(layout, coordinates);
  return folder !== '' && field.startsWith(`${folder}/`) ? field.slice(folder.length + 1) : field;
}

/** The inverse of `recordField`. */
export function rootField(layout: Layout, coordinates: Coordinates, field: string): string {
  const folder = environmentFolder(layout, coordinates);
  return folder === '' || field.startsWith(`${folder}/`) ? field : `${folder}/${field}`;
}

/** The output path of a service's manifests; null where nothing is delivered. */
export function deliveryOutput(layout: Layout, coordinates: Coordinates): string | null {
  return layout.config.delivery && fill(layout.config.delivery.output, toBindings(coordinates));
}

/**
 * Reads `[tenant/]environment[/service]` as the layout means it. SCOPE_INVALID for what cannot be a scope;
 * whether it exists is for `requireKnown`.
 */
export function parseScope(layout: Layout, text: string): Coordinates {
  const parts = text.split('/');
  const bad = parts.find((part) => !isCoordinate(part));
  if (bad !== undefined) {
    throw new BacktrailError(
      'SCOPE_INVALID',
      `${JSON.stringify(text)} is not a scope: ${JSON.stringify(bad)} cannot be a name.`,
    );
  }
  const names = layout.hasTenant ? parts : [undefined, ...parts];
  const [tenant, environment, service, ...rest] = names;
  if (environment === undefined || rest.length > 0) {
    const form = layout.hasTenant ? 'tenant/environment[/service]' : 'environment[/service]';
    throw new BacktrailError(
      'SCOPE_INVALID',
      `${JSON.stringify(text)} is not a scope: this layout needs ${form}.`,
    );
  }
  return { ...(tenant !== undefined && { tenant }), environment, ...(service !== undefined && { service }) };
}

/** Rejects with TENANT_UNKNOWN, ENVIRONMENT_UNKNOWN or SERVICE_UNKNOWN, naming what there is. */
export async function requireKnown(view: TreeView, layout: Layout, scope: Coordinates): Promise<void> {
  const { tenant, environment, service } = scope;
  const within = tenant === undefined ? {} : { tenant };
  const all = await discover(view, layout, within);
  if (all.some((found) => formatCoordinates(found) === formatCoordinates(scope))) return;
  const say = (names: (string | undefined)[]) => {
    const known = [...new Set(names.filter((name) => name !== undefined))].sort(compareText);
    return known.length === 0
      ? 'There is none.'
      : `There is ${known.slice(0, 8).join(', ')}${known.length > 8 ? ', …' : ''}.`;
  };
  if (all.length === 0 && tenant !== undefined) {
    const tenants = (await discover(view, layout)).map((found) => found.tenant);
    throw new BacktrailError('TENANT_UNKNOWN', `The layout finds no tenant "${tenant}".`, {
      hint: say(tenants),
    });
  }
  const here = all.filter((found) => found.environment === environment);
  if (here.length === 0) {
    const name = formatCoordinates({ ...within, environment });
    throw new BacktrailError('ENVIRONMENT_UNKNOWN', `The layout finds no environment "${name}".`, {
      hint: say(all.map((found) => found.environment)),
    });
  }
  const name = formatCoordinates({ ...within, environment });
  throw new BacktrailError('SERVICE_UNKNOWN', `The layout finds no service "${service}" in ${name}.`, {
    hint: say(here.map((found) => found.service)),
  });
}
