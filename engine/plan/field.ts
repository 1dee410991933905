/** Reads `--field`: a short name of the configuration, or `path#selector`. */
import {
  BacktrailError,
  type Coordinates,
  formatCoordinates,
  isSafePath,
  type TreeView,
} from '../model/index.ts';
import {
  formatSelector,
  isWithin,
  parseLooseSelector,
  parseSelector,
  type Selector,
} from '../yaml/selector.ts';
import { bindSelector, fill, type PathSelection, toBindings } from './pattern.ts';
import { environmentFolder, foldersOf, type Layout, type Selection, selectionsOf } from './layout.ts';

/** Canonical `path#selector` from the repository's root, sorted, each once. `view` is the branch tip. */
export async function resolveFields(input: {
  view: TreeView;
  layout: Layout;
  coordinates: Coordinates;
  fields: readonly string[];
}): Promise<string[]> {
  const resolved: string[] = [];
  for (const field of input.fields) resolved.push(await resolveField(input, field));
  return [...new Set(resolved)].sort();
}

interface Context {
  readonly view: TreeView;
  readonly layout: Layout;
  readonly coordinates: Coordinates;
}

async function resolveField(context: Context, field: string): Promise<string> {
  const { path, selector } = parseField(context, field);
  if (path === '') return withinService(context, field, selector);
  for (const candidate of candidates(context, path)) {
    if ((await context.view.entry(candidate)) === null) continue;
    if (!inScope(context, candidate, selector)) {
      const scope = formatCoordinates(context.coordinates);
      throw new BacktrailError(
        'FIELD_OUT_OF_SCOPE',
        `${candidate}#${formatSelector(selector)} lies outside ${scope}.`,
      );
    }
    return formatField(candidate, selector);
  }
  throw new BacktrailError(
    'FIELD_UNKNOWN',
    `There is no file ${JSON.stringify(path)} for field ${JSON.stringify(field)}.`,
  );
}

function parseField({ layout, coordinates }: Context, field: string): { path: string; selector: Selector } {
  const short = Object.hasOwn(layout.config.fields, field) ? layout.config.fields[field] : undefined;
  if (short !== undefined && coordinates.service === undefined) {
    throw new BacktrailError(
      'FIELD_NEEDS_SERVICE',
      `The short name "${field}" needs a service, and ${formatCoordinates(coordinates)} names none.`,
    );
  }
  const text = fill(short ?? field, toBindings(coordinates));
  const hash = text.indexOf('#');
  if (hash < 0) throw notAField(layout, field);
  const path = text.slice(0, hash);
  if (path !== '' && !isSafePath(path)) {
    throw new BacktrailError(
      'FIELD_INVALID',
      `${JSON.stringify(field)} does not name a path inside the repository.`,
    );
  }
  const selector = parseLooseSelector(text.slice(hash + 1));
  if (selector.length === 0)
    throw new BacktrailError('FIELD_INVALID', `${JSON.stringify(field)} names a file and no field in it.`);
  return { path, selector };
}

function notAField(layout: Layout, field: string): BacktrailError {
  const names = Object.keys(layout.config.fields);
  if (!/^[A-Za-z][\w-]*$/.test(field)) {
    const message = field === '' ? 'The field is empty.' : `${JSON.stringify(field)} does not name a field.`;
    return new BacktrailError('FIELD_INVALID', message);
  }
  const known = names.length === 0 ? 'defines none' : `defines ${names.join(', ')}`;
  return new BacktrailError(
    'FIELD_UNKNOWN',
    `There is no short name "${field}": the configuration ${known}.`,
  );
}

/** The service's (without service: the environment's) own folders first, then the repository's root. */
function candidates({ layout, coordinates }: Context, path: string): string[] {
  const own =
    coordinates.service === undefined
      ? [environmentFolder(layout, coordinates), ...foldersOf(layout.environment, coordinates)]
      : foldersOf(layout.service, coordinates);
  return [...own.filter((folder) => folder !== '').map((folder) => `${folder}/${path}`), path];
}

/** `#/version`: relative to the part of a shared file that is the service. */
function withinService({ layout, coordinates }: Context, field: string, selector: Selector): string {
  const part = selectionsOf(layout, coordinates).find(
    (selection) => selection.selector && selection.paths.kind === 'path',
  );
  if (coordinates.service === undefined || !part?.selector) {
    throw new BacktrailError(
      'FIELD_INVALID',
      `${JSON.stringify(field)} names no file, and the scope is not a part of one.`,
    );
  }
  return formatField(part.paths.prefix, [...part.selector, ...selector]);
}

function inScope({ layout, coordinates }: Context, path: string, selector: Selector): boolean {
  if (layout.isOwn(path)) return false;
  return selectionsOf(layout, coordinates).some((selection) => {
    const bindings = selection.paths.match(path);
    if (bindings === null) return false;
    if (selection.selector === null) return true;
    const owner = bindSelector(selection.selector, bindings);
    // In an environment's scope any of its services may own the field.
    return (
      isWithin(selector, owner) || (coordinates.service === undefined && selector.length >= owner.length)
    );
  });
}

const formatField = (path: string, selector: Selector) => `${path}#${formatSelector(selector)}`;

/** A canonical field as a selection. */
export function fieldSelection(field: string): Selection & { path: string; selector: Selector } {
  const hash = field.indexOf('#');
  const path = field.slice(0, hash);
  const paths: PathSelection = {
    kind: 'path',
    prefix: path,
    match: (candidate) => (candidate === path ? {} : null),
  };
  return { path, paths, selector: parseSelector(field.slice(hash + 1)) };
}
