/** Resolves `--field`: a short name of the configuration, or `path#selector`. */
import {
  BacktrailError,
  type Coordinates,
  formatCoordinates,
  isSafePath,
  quotePath,
  type TreeView,
  unquotePath,
} from '../../model/index.ts';
import { fileKind } from '../../yaml/formats/format.ts';
import { locate } from '../../yaml/core/locate.ts';
import { parseFileLoosely } from '../../yaml/core/parse-file.ts';
import { refusalReason } from '../../yaml/core/refusal.ts';
import {
  formatSelector,
  isWithin,
  parseLooseSelector,
  parseSelector,
  type Selector,
} from '../../yaml/core/selector.ts';
import { nearNames } from '../near-names.ts';
import { guardString } from './strings.ts';
import type { Keep } from '../keep.ts';
import {
  environmentFolder,
  foldersOf,
  type Layout,
  matchSelector,
  type Selection,
  selectionsOf,
} from '../layout.ts';
import { fill, type PathSelection, toBindings } from '../pattern.ts';
import { decode } from '../../yaml/core/text.ts';

/**
 * The canonical `path#selector` of fields, relative to the repository root, sorted, without duplicates. `view` is the branch tip.
 * @throws FIELD_INVALID, FIELD_UNKNOWN, FIELD_NEEDS_SERVICE, FIELD_OUT_OF_SCOPE, KEPT, SELECTOR_INVALID
 */
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

interface FieldContext {
  readonly view: TreeView;
  readonly layout: Layout;
  readonly coordinates: Coordinates;
}

async function resolveField(context: FieldContext, field: string): Promise<string> {
  const { path, selector: written, isDotted } = parseField(context, field);
  if (path === '') return withinService(context, field, written);
  for (const candidate of candidates(context, path)) {
    if ((await context.view.entry(candidate)) === null) continue;
    if (candidate.includes('#')) throw ambiguous(candidate);
    const selector = isDotted ? asOneKey(candidate, written) : written;
    const text = decode((await context.view.read(candidate)) ?? new Uint8Array());
    const named = text === null ? selector : byIdentity(candidate, text, selector);
    if (text !== null) guardString(candidate, text, named);
    const canonical = formatField(candidate, named);
    const display = formatField(quotePath(candidate), named);
    if (!isInScope(context, candidate, named)) {
      const message = `${display} is outside ${formatCoordinates(context.coordinates)}.`;
      throw new BacktrailError('FIELD_OUT_OF_SCOPE', message);
    }
    const by = keptBy(context.layout.keep, { path: candidate, text: text ?? '', selector: named });
    if (by !== null)
      throw new BacktrailError('KEPT', `${display} is excluded from every rollback (keep: ${by}).`);
    return canonical;
  }
  const longer = await withHash(context, field);
  if (longer !== null) throw ambiguous(longer);
  throw new BacktrailError(
    'FIELD_UNKNOWN',
    `The file ${JSON.stringify(path)} of field ${JSON.stringify(field)} does not exist.`,
  );
}

/** An existing file with a `#` in its name that the field may refer to. */
async function withHash(context: FieldContext, field: string): Promise<string | null> {
  for (const { index } of [...field.matchAll(/#/g)].slice(1, 20)) {
    const path = field.slice(0, index);
    for (const candidate of isSafePath(path) ? candidates(context, path) : [])
      if ((await context.view.entry(candidate)) !== null) return candidate;
  }
  return null;
}

function ambiguous(path: string): BacktrailError {
  return new BacktrailError(
    'FIELD_INVALID',
    `A field of ${quotePath(path)} cannot be selected: the "#" in its name is ambiguous with the one before the selector.`,
    { hint: 'Roll back the service or the environment, rename the file, or change it by hand.' },
  );
}

interface ParsedField {
  readonly path: string;
  readonly selector: Selector;
  /** Written as `image.tag`. */
  readonly isDotted: boolean;
}

function parseField({ layout, coordinates }: FieldContext, field: string): ParsedField {
  const short = Object.hasOwn(layout.config.fields, field) ? layout.config.fields[field] : undefined;
  // In a layout without services short names are relative to the environment's folder.
  const ofService = layout.service.length > 0 || short?.includes('{service}') === true;
  if (short !== undefined && coordinates.service === undefined && ofService) {
    throw new BacktrailError(
      'FIELD_NEEDS_SERVICE',
      `The short name "${field}" needs a service, and ${formatCoordinates(coordinates)} does not name one.`,
    );
  }
  const text = fill(short ?? field, toBindings(coordinates));
  const spelled = unquotePath(text);
  const { path, rest } = spelled?.rest.startsWith('#') ? spelled : split(text);
  if (!rest.startsWith('#')) throw notAField(layout, field);
  if (path !== '' && !isSafePath(path)) {
    throw new BacktrailError(
      'FIELD_INVALID',
      `${JSON.stringify(field)} does not name a path inside the repository.`,
    );
  }
  const selector = parseLooseSelector(rest.slice(1));
  if (selector.length === 0)
    throw new BacktrailError('FIELD_INVALID', `${JSON.stringify(field)} names a file but not a field in it.`);
  return { path, selector, isDotted: !/^#[/[]/.test(rest) };
}

/** In a flat file dots are part of the key. */
function asOneKey(path: string, selector: Selector): Selector {
  const kind = fileKind(path);
  const isFlat = kind.is === 'known' && (kind.format === 'properties' || kind.format === 'dotenv');
  const keys = selector.flatMap((step) => ('key' in step ? step.key : []));
  return isFlat && keys.length === selector.length ? [{ key: keys.join('.') }] : selector;
}

function split(text: string): { path: string; rest: string } {
  const hash = text.indexOf('#');
  return { path: hash < 0 ? text : text.slice(0, hash), rest: hash < 0 ? '' : text.slice(hash) };
}

function notAField(layout: Layout, field: string): BacktrailError {
  const names = Object.keys(layout.config.fields);
  if (!/^[A-Za-z][\w-]*$/.test(field)) {
    const message = field === '' ? 'The field is empty.' : `${JSON.stringify(field)} does not name a field.`;
    return new BacktrailError('FIELD_INVALID', message);
  }
  const known = names.length === 0 ? 'defines none' : `defines ${names.join(', ')}`;
  const [near] = nearNames(field, names);
  return new BacktrailError(
    'FIELD_UNKNOWN',
    `The short name "${field}" does not exist: the configuration ${known}.`,
    near === undefined ? {} : { hint: `Did you mean ${near}?` },
  );
}

/** Candidate paths: below the service's (without service: the environment's) folders first, then the repository's root. */
function candidates({ layout, coordinates }: FieldContext, path: string): string[] {
  const own =
    coordinates.service === undefined
      ? [environmentFolder(layout, coordinates), ...foldersOf(layout.environment, coordinates)]
      : foldersOf(layout.service, coordinates);
  return [...own.filter((folder) => folder !== '').map((folder) => `${folder}/${path}`), path];
}

/** `#/version`: relative to the part of a shared file that is the service. */
function withinService({ layout, coordinates }: FieldContext, field: string, selector: Selector): string {
  const part = selectionsOf(layout, coordinates).find(
    (selection) => selection.selector && selection.paths.kind === 'path',
  );
  if (coordinates.service === undefined || !part?.selector) {
    throw new BacktrailError(
      'FIELD_INVALID',
      `${JSON.stringify(field)} does not name a file, and the scope is not a part of one.`,
    );
  }
  if (part.paths.prefix.includes('#')) throw ambiguous(part.paths.prefix);
  return formatField(part.paths.prefix, [...part.selector, ...selector]);
}

export function isInScope(
  { layout, coordinates }: Pick<FieldContext, 'layout' | 'coordinates'>,
  path: string,
  selector: Selector,
): boolean {
  if (layout.isExcluded(path)) return false;
  return selectionsOf(layout, coordinates).some((selection) => {
    const bindings = selection.paths.match(path);
    if (bindings === null) return false;
    if (selection.selector === null) return true;
    // In an environment's scope any of its services may own the field.
    return matchSelector(selection.selector, selector, bindings) !== null;
  });
}

/** Replaces list indices by identity: another revision may have another item at the same index. */
function byIdentity(path: string, text: string, selector: Selector): Selector {
  if (!selector.some(isPositional)) return selector;
  try {
    const canonical = locate(parseFileLoosely(path, text), selector)?.selector;
    if (!canonical) return selector;
    const shift = selector.length - canonical.length;
    return selector.flatMap((step, index) => (isPositional(step) ? (canonical[index - shift] ?? []) : step));
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return selector;
  }
}

const isPositional = (step: Selector[number]) => 'index' in step || ('key' in step && /^\d+$/.test(step.key));

function keptBy(
  keep: Keep,
  { path, text, selector }: { path: string; text: string; selector: Selector },
): string | null {
  const whole = keep.path(path) ?? keep.content(path, text);
  return whole ?? keep.parts(path, [text]).find((part) => isWithin(selector, part.selector))?.by ?? null;
}

const formatField = (path: string, selector: Selector) => `${path}#${formatSelector(selector)}`;

/** A canonical field as a selection. */
export function fieldSelection(field: string): Selection & { path: string; selector: Selector } {
  const hash = field.indexOf('#');
  const path = field.slice(0, hash);
  return { path, paths: singlePath(path), selector: parseSelector(field.slice(hash + 1)) };
}

export const singlePath = (path: string): PathSelection => ({
  kind: 'path',
  prefix: path,
  match: (candidate) => (candidate === path ? {} : null),
  reaches: () => false,
});
