/** Discovers the tenants, environments and services in a tree. */
import { BacktrailError, type Coordinates, formatCoordinates, MODE, type TreeView } from '../model/index.ts';
import type { ParsedText } from '../yaml/core/document.ts';
import { parseFileLoosely } from '../yaml/core/parse-file.ts';
import { refusalReason } from '../yaml/core/refusal.ts';
import { formatSelector } from '../yaml/core/selector.ts';
import { nearNames } from './near-names.ts';
import { expandSelector } from './expand-selector.ts';
import { compareText, type Layout } from './layout.ts';
import {
  type Bindings,
  bindSelector,
  literalSegment,
  matchSegment,
  type Pattern,
  toBindings,
} from './pattern.ts';
import { decode } from '../yaml/core/text.ts';

/**
 * All tenants, environments and services that the layout matches in a tree, below the given coordinates; sorted. A file that cannot be
 * parsed hides its services, but not the environment that its path names; its path is added to `unreadable`.
 */
export async function discover(
  view: TreeView,
  layout: Layout,
  within: Partial<Coordinates> = {},
  unreadable = new Set<string>(),
): Promise<Coordinates[]> {
  const found = new Map<string, Coordinates>();
  const seen = new Map<string, Promise<ParsedText | null>>();
  for (const pattern of [...layout.environment, ...layout.service]) {
    const hidden: Bindings[] = [];
    const onUnreadable = (path: string, bindings: Bindings) => {
      unreadable.add(path);
      const { service: _, ...owner } = bindings;
      hidden.push(owner);
    };
    const places = await expand({
      view,
      layout,
      pattern,
      bindings: toBindings(within),
      parsed: seen,
      onUnreadable,
    });
    for (const { bindings } of [...places, ...hidden.map((bindings) => ({ bindings }))]) {
      const { service, ...owner } = bindings;
      if (owner.environment === undefined || layout.isIgnored(owner)) continue;
      const environment = { ...owner, environment: owner.environment };
      found.set(formatCoordinates(environment), environment);
      if (service === undefined || layout.isIgnored({ service })) continue;
      const coordinates = { ...environment, service };
      found.set(formatCoordinates(coordinates), coordinates);
    }
  }
  return [...found.values()].sort((a, b) => compareText(formatCoordinates(a), formatCoordinates(b)));
}

/** One way in which a pattern matches the tree. */
export interface PatternMatch {
  readonly pattern: Pattern;
  readonly bindings: Bindings;
  /** Identifies the match: the path up to its last component with a placeholder, and the selector, if there is one. */
  readonly root: string;
}

/** All matches of the environment and service patterns, except ignored names. */
export async function patternMatches(view: TreeView, layout: Layout): Promise<PatternMatch[]> {
  const parsed = new Map<string, Promise<ParsedText | null>>();
  const places: PatternMatch[] = [];
  for (const pattern of [...layout.environment, ...layout.service])
    for (const place of await expand({ view, layout, pattern, bindings: {}, parsed }))
      if (!layout.isIgnored(place.bindings)) places.push({ pattern, ...place });
  return places;
}

interface ExpandInput {
  readonly view: TreeView;
  readonly layout: Pick<Layout, 'shared'>;
  readonly pattern: Pattern;
  readonly bindings: Bindings;
  /** Files parsed during this discovery, by path. */
  readonly parsed: Map<string, Promise<ParsedText | null>>;
  /** Called for each text file that cannot be parsed. */
  readonly onUnreadable?: (path: string, bindings: Bindings) => void;
}

/** All matches of a pattern. Lists only the folders that the pattern needs. */
async function expand({
  view,
  layout,
  pattern,
  bindings,
  parsed,
  onUnreadable,
}: ExpandInput): Promise<Pick<PatternMatch, 'bindings' | 'root'>[]> {
  const results: Pick<PatternMatch, 'bindings' | 'root'>[] = [];
  const named = pattern.segments.findLastIndex(
    (segment) => segment !== '**' && segment.some((piece) => 'placeholder' in piece),
  );
  const visit = async (folder: string, depth: number, known: Bindings, root: string): Promise<void> => {
    const segment = pattern.segments[depth];
    if (segment === undefined) return;
    const last = depth === pattern.segments.length - 1;
    const join = (name: string) => (folder === '' ? name : `${folder}/${name}`);
    const arrive = async (path: string, learned: Bindings, isFolder: boolean) => {
      if (layout.shared.isShared(path) || (isFolder && layout.shared.isSharedFolder(path))) return;
      const here = depth <= named ? path : root;
      if (!last) return visit(path, depth + 1, learned, here);
      results.push(...(await selectIn(path, learned, here)));
    };
    if (segment === '**') {
      const entries = await view.list(folder);
      if (last) {
        if (entries.length > 0) results.push(...(await selectIn(folder, known, root)));
        return;
      }
      await visit(folder, depth + 1, known, root);
      for (const entry of entries)
        if (entry.mode === MODE.tree && !layout.shared.isSharedFolder(join(entry.name)))
          await visit(join(entry.name), depth, known, root);
      return;
    }
    const literal = literalSegment(segment, known);
    if (literal !== null) {
      const entry = await view.entry(join(literal));
      if (entry && (last || entry.mode === MODE.tree))
        await arrive(join(literal), known, entry.mode === MODE.tree);
      return;
    }
    for (const entry of await view.list(folder)) {
      if (!last && entry.mode !== MODE.tree) continue;
      const learned = matchSegment(segment, entry.name, known);
      if (learned) await arrive(join(entry.name), learned, entry.mode === MODE.tree);
    }
  };
  const selectIn = async (path: string, known: Bindings, root: string) => {
    if (pattern.selector === null) return [{ bindings: known, root }];
    let file = parsed.get(path);
    if (!file) parsed.set(path, (file = readParsed(view, path)));
    const text = await file;
    const selector = bindSelector(pattern.selector, known);
    if (text === null && onUnreadable && (await isText(view, path))) onUnreadable(path, known);
    const found = text ? expandSelector(text, { selector, bindings: known }) : [];
    return found.map(({ selector, bindings }) => ({ bindings, root: `${path}#${formatSelector(selector)}` }));
  };
  await visit('', 0, bindings, '');
  return results;
}

async function isText(view: TreeView, path: string): Promise<boolean> {
  const bytes = await view.read(path);
  return bytes !== null && decode(bytes) !== null;
}

/** Parses a file; null if it does not exist or cannot be parsed, since discovery continues without it. */
export async function readParsed(view: TreeView, path: string): Promise<ParsedText | null> {
  const bytes = await view.read(path);
  const text = bytes && decode(bytes);
  if (text === null) return null;
  try {
    return parseFileLoosely(path, text);
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return null;
  }
}

/** @throws TENANT_UNKNOWN, ENVIRONMENT_UNKNOWN or SERVICE_UNKNOWN; the hint lists what exists */
export async function requireScopeExists(view: TreeView, layout: Layout, scope: Coordinates): Promise<void> {
  const { tenant, environment, service } = scope;
  const within = tenant === undefined ? {} : { tenant };
  if (await exists(view, layout, scope)) return;
  const all = await discover(view, layout, within);
  if (all.length === 0 && tenant !== undefined) {
    const tenants = (await discover(view, layout)).map((found) => found.tenant);
    throw new BacktrailError('TENANT_UNKNOWN', `The layout does not match a tenant "${tenant}".`, {
      hint: suggest(tenants, tenant),
    });
  }
  const here = all.filter((found) => found.environment === environment);
  if (here.length === 0) {
    const name = formatCoordinates({ ...within, environment });
    throw new BacktrailError('ENVIRONMENT_UNKNOWN', `The layout does not match an environment "${name}".`, {
      hint: suggest(
        all.map((found) => found.environment),
        environment,
      ),
    });
  }
  const name = formatCoordinates({ ...within, environment });
  throw new BacktrailError(
    'SERVICE_UNKNOWN',
    `The layout does not match a service "${service}" in ${name}.`,
    {
      hint: suggest(
        here.map((found) => found.service),
        service,
      ),
    },
  );
}

function suggest(names: readonly (string | undefined)[], wanted = ''): string {
  const known = [...new Set(names.filter((name) => name !== undefined))].sort(compareText);
  if (known.length === 0) return 'None exists.';
  const [near] = nearNames(wanted, known);
  const meant = near === undefined ? '' : `Did you mean ${near}? `;
  const more = known.length > 8 ? ` and ${known.length - 8} more; \`backtrail environments\` lists all` : '';
  return `${meant}Existing: ${known.slice(0, 8).join(', ')}${more}.`;
}

/** Looks for one scope only, which is cheaper than `discover`. */
async function exists(view: TreeView, layout: Layout, scope: Coordinates): Promise<boolean> {
  const patterns = scope.service === undefined ? [...layout.environment, ...layout.service] : layout.service;
  const parsed = new Map<string, Promise<ParsedText | null>>();
  if (layout.isIgnored(toBindings(scope))) return false;
  for (const pattern of patterns)
    if ((await expand({ view, layout, pattern, bindings: toBindings(scope), parsed })).length > 0)
      return true;
  return false;
}
