/** The layout of a repository: its tenants, environments and services, and the files of each. */
import picomatch from 'picomatch';
import { BacktrailError, type Config, type Coordinates, ENGINE, type Rules } from '../model/index.ts';
import type { Selector } from '../yaml/core/selector.ts';
import { CONFIG_PATH } from '../model/config.ts';
import { compileKeep, type Keep } from './keep.ts';
import { ignoredNames } from './names.ts';
import {
  type Bindings,
  type PathSelection,
  type Pattern,
  bindPath,
  bindSelector,
  compilePattern,
  fill,
  isCoordinate,
  matchTemplate,
  toBindings,
} from './pattern.ts';
import { compileShared, type SharedFiles } from './shared-files.ts';
import { compileUnmasked, type UnmaskedSelectors } from './unmasked-selectors.ts';

export interface Layout {
  readonly config: Config;
  readonly rules: Rules;
  readonly hasTenant: boolean;
  readonly environment: readonly Pattern[];
  readonly service: readonly Pattern[];
  readonly keep: Keep;
  readonly unmasked: UnmaskedSelectors;
  /** Whether `ignore` or `only` excludes one of these names. */
  isIgnored(bindings: Bindings): boolean;
  readonly shared: SharedFiles;
  /** Delivery outputs, shared files and Backtrail's configuration: they belong to no scope and create no revisions. */
  isExcluded(path: string): boolean;
  isBinding(path: string): boolean;
  isVariables(path: string): boolean;
}

/** `rules`: version of the planning rules; see `ENGINE`. */
export function compileLayout(config: Config, rules: Rules = ENGINE): Layout {
  const environment = config.layout.environment.map(compilePattern);
  const service = config.layout.service.map(compilePattern);
  const output = config.delivery ? outputMatcher(config.delivery.output) : () => false;
  const shared = compileShared(config.layout.shared);
  return {
    config,
    environment,
    service,
    hasTenant: [...environment, ...service].some(({ placeholders }) => placeholders.has('tenant')),
    rules,
    keep: compileKeep(config.keep, rules),
    unmasked: compileUnmasked(config.show),
    isIgnored: ignoredNames(config.layout),
    shared,
    isExcluded: (path) =>
      path === '.backtrail' ||
      path.startsWith(`${CONFIG_PATH.split('/')[0]}/`) ||
      output(path) ||
      shared.isShared(path),
    isBinding: globs(config.layout.bindings),
    isVariables: globs(config.layout.variables),
  };
}

/** Matches delivery outputs exactly, not paths below them. */
function outputMatcher(text: string): (path: string) => boolean {
  const pattern = compilePattern(text);
  const paths = bindPath(pattern, {});
  return (path) => path.split('/').length === pattern.segments.length && paths.match(path) !== null;
}

/** Compiles globs; a placeholder counts as `*`. */
function globs(patterns: readonly string[]): (path: string) => boolean {
  const plain = patterns.map((pattern) => pattern.replace(/\{(tenant|environment|service)\}/g, '*'));
  return plain.length === 0 ? () => false : picomatch(plain, { dot: true });
}

/** What a scope owns: whole paths, or a part of each file in `paths`. */
export interface Selection {
  readonly paths: PathSelection;
  /** null: whole paths. May have an unbound {service}. */
  readonly selector: Selector | null;
}

/** The selections of an environment (including those of its services) or of one service. */
export function selectionsOf(layout: Layout, coordinates: Coordinates): Selection[] {
  const bindings = toBindings(coordinates);
  const patterns =
    coordinates.service === undefined ? [...layout.environment, ...layout.service] : layout.service;
  const selections = patterns.map((pattern) => ({
    paths: withOwnEntry(bindPath(pattern, bindings), layout.rules),
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

/** A symlink, file or submodule at the path of a folder that a scope owns belongs to the scope as well. */
function withOwnEntry(paths: PathSelection, rules: Rules): PathSelection {
  if (paths.kind !== 'tree' || paths.prefix === '' || rules === 1) return paths;
  return { ...paths, match: (path) => (path === paths.prefix ? {} : paths.match(path)) };
}

export const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The service of an environment that owns a path, or null. */
export function serviceOfPath(layout: Layout, coordinates: Coordinates, path: string): string | null {
  if (coordinates.service !== undefined) return coordinates.service;
  for (const pattern of layout.service) {
    if (pattern.selector !== null) continue;
    const bindings = bindPath(pattern, toBindings(coordinates)).match(path);
    if (bindings?.service !== undefined && !layout.isIgnored(bindings)) return bindings.service;
  }
  return null;
}

/** Whether several services may have parts in this file. */
export function isShared(layout: Layout, coordinates: Coordinates, path: string): boolean {
  const bindings = toBindings(coordinates);
  return layout.service.some(
    (pattern) => pattern.selector !== null && bindPath(pattern, bindings).match(path) !== null,
  );
}

/** The service of an environment that owns a field of a shared file, or null. */
export function serviceOfField(
  layout: Layout,
  coordinates: Coordinates,
  field: { path: string; selector: Selector },
): string | null {
  if (coordinates.service !== undefined) return coordinates.service;
  for (const pattern of layout.service) {
    if (pattern.selector === null) continue;
    const bindings = bindPath(pattern, toBindings(coordinates)).match(field.path);
    const service = bindings && matchSelector(pattern.selector, field.selector, bindings)?.service;
    if (service && !layout.isIgnored({ service })) return service;
  }
  return null;
}

/** Bindings of the placeholders of a template that a selector is within; null if it is not. */
export function matchSelector(template: Selector, selector: Selector, bindings: Bindings): Bindings | null {
  let known: Bindings | null = bindings;
  for (const [index, wanted] of template.entries()) {
    const step = selector[index];
    if (known === null || step === undefined) return null;
    known = matchStep(wanted, step, known);
  }
  return known;
}

function matchStep(wanted: Selector[number], step: Selector[number], bindings: Bindings): Bindings | null {
  if ('index' in wanted) return 'index' in step && step.index === wanted.index ? bindings : null;
  if ('enter' in wanted) return 'enter' in step ? bindings : null;
  if ('key' in wanted) return 'key' in step ? matchTemplate(wanted.key, step.key, bindings) : null;
  let known: Bindings | null = bindings;
  for (const [key, value] of Object.entries(wanted.match)) {
    const found = 'match' in step && Object.hasOwn(step.match, key) ? step.match[key] : undefined;
    known = known && found !== undefined ? matchTemplate(value, found, known) : null;
  }
  return known;
}

/** Folders that the scope owns as a whole (`…/**`), and folders of its files; never ''. */
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

/** The folder that an environment owns as a whole; '' if there is none. */
export function environmentFolder(layout: Layout, { tenant, environment }: Coordinates): string {
  const bindings = toBindings({ ...(tenant !== undefined && { tenant }), environment });
  const owned = layout.environment
    .map((pattern) => bindPath(pattern, bindings))
    .find(({ kind }) => kind === 'tree');
  return owned?.prefix ?? '';
}

/** A field as recorded in trailers: relative to the environment's folder, if there is one. */
export function recordField(layout: Layout, coordinates: Coordinates, field: string): string {
  const folder = environmentFolder(layout, coordinates);
  return folder !== '' && field.startsWith(`${folder}/`) ? field.slice(folder.length + 1) : field;
}

/** Paths from the repository's root that a recorded field may refer to: a record does not say if it is relative. */
export function rootFields(layout: Layout, coordinates: Coordinates, field: string): string[] {
  const folder = environmentFolder(layout, coordinates);
  return folder === '' ? [field] : [`${folder}/${field}`, field];
}

/** The output path of a service's manifests; null without delivery. */
export function deliveryOutput(layout: Layout, coordinates: Coordinates): string | null {
  return layout.config.delivery && fill(layout.config.delivery.output, toBindings(coordinates));
}

/**
 * Parses `[tenant/]environment[/service]` according to the layout. Does not look whether it exists; see `requireScopeExists`.
 * @throws SCOPE_INVALID
 */
export function parseScope(layout: Layout, text: string): Coordinates {
  const parts = text.split('/');
  const bad = parts.find((part) => !isCoordinate(part));
  if (bad !== undefined) {
    throw new BacktrailError(
      'SCOPE_INVALID',
      `${excerpt(text)} is not a scope: ${excerpt(bad)} is not a valid name.`,
    );
  }
  const names = layout.hasTenant ? parts : [undefined, ...parts];
  const [tenant, environment, service, ...rest] = names;
  if (environment === undefined || rest.length > 0) {
    const form = layout.hasTenant ? 'tenant/environment[/service]' : 'environment[/service]';
    throw new BacktrailError('SCOPE_INVALID', `${excerpt(text)} is not a scope: this layout needs ${form}.`);
  }
  return { ...(tenant !== undefined && { tenant }), environment, ...(service !== undefined && { service }) };
}

const excerpt = (text: string) => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
