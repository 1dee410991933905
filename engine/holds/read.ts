/** The holds of a tree. A file that is no hold is a finding, and holds nothing. */
import {
  type Finding,
  type Hold,
  isFailure,
  isRequestId,
  type ObjectReader,
  quotePath,
  type TreeEntry,
  type TreeView,
} from '../model/index.ts';
import { type Layout, selectionsOf } from '../layout/layout.ts';
import { decode } from '../yaml/core/text.ts';
import { isFile } from '../snapshot/view.ts';
import { holdFolder, HOLDS, parseHold, type ParsedHold } from './hold-file.ts';

export interface FoundHold {
  readonly hold: Hold;
  readonly entry: TreeEntry;
}

export interface FoundHolds {
  readonly holds: readonly FoundHold[];
  readonly findings: readonly Finding[];
}

export interface HoldsQuery {
  readonly view: TreeView;
  readonly layout: Layout;
  readonly reader: ObjectReader;
}

/** Of one environment, by path. */
export function readHolds(
  query: HoldsQuery,
  of: { readonly tenant?: string | undefined; readonly environment: string },
): Promise<FoundHolds> {
  return readFolder(query, holdFolder(of));
}

/** Of all environments. */
export async function readAllHolds(query: HoldsQuery): Promise<FoundHolds> {
  const folders = [HOLDS];
  const found: FoundHolds[] = [];
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const inside = await query.view.list(folder);
    const depth = folder.split('/').length - HOLDS.split('/').length;
    if (depth < 2)
      folders.push(
        ...inside
          .filter(({ mode }) => mode === '40000' || mode === '040000')
          .map(({ name }) => `${folder}/${name}`),
      );
    if (depth > 0) found.push(await readFolder(query, folder));
  }
  return { holds: found.flatMap(({ holds }) => holds), findings: found.flatMap(({ findings }) => findings) };
}

async function readFolder({ view, layout, reader }: HoldsQuery, folder: string): Promise<FoundHolds> {
  const holds: FoundHold[] = [];
  const findings: Finding[] = [];
  for (const entry of await view.list(folder)) {
    const path = `${folder}/${entry.name}`;
    if (!isFile(entry.mode) || !isRequestId(entry.name.replace(/\.yaml$/, ''))) {
      if (/\.ya?ml$/i.test(entry.name)) findings.push(invalid(path, 'its name is not the id of a request'));
      continue;
    }
    const parsed = await readOne(reader, path, entry.id);
    const problem = 'problem' in parsed ? parsed.problem : outside(layout, parsed.hold);
    if (problem !== null) findings.push(invalid(path, problem));
    else if ('hold' in parsed) holds.push({ hold: parsed.hold, entry });
  }
  return { holds, findings };
}

/** By reader: a hold is parsed once, however many plans look at it. */
const known = new WeakMap<ObjectReader, Map<string, ParsedHold>>();
const MOST = 5000;

async function readOne(reader: ObjectReader, path: string, id: string): Promise<ParsedHold> {
  const cache = known.get(reader) ?? new Map<string, ParsedHold>();
  known.set(reader, cache);
  const key = `${id} ${path}`;
  const before = cache.get(key);
  if (before) return before;
  const text = decode(await reader.blob(id).catch(tooLarge));
  const parsed =
    text === null || text === '' ? { problem: 'it is not a text that can be read' } : parseHold(path, text);
  if (cache.size >= MOST) cache.clear();
  cache.set(key, parsed);
  return parsed;
}

function tooLarge(error: unknown): Uint8Array {
  if (isFailure(error) && error.code === 'FILE_TOO_LARGE') return new Uint8Array();
  throw error;
}

/** A hold reaches no further than its scope. */
export function outside(layout: Layout, hold: Hold): string | null {
  if (layout.hasTenant !== (hold.tenant !== undefined)) return 'its scope is not one of this layout';
  const selections = selectionsOf(layout, hold);
  const isInside = (path: string) => selections.some(({ paths }) => paths.match(path) !== null);
  const wrong = [...hold.fields, ...hold.taken].find(({ path }) => !isInside(path));
  return wrong === undefined ? null : `${quotePath(wrong.path)} is outside of its scope`;
}

function invalid(path: string, problem: string): Finding {
  return {
    code: 'HOLD_INVALID',
    severity: 'warn',
    message: `${quotePath(path)} holds nothing: ${problem}.`,
    hint: 'Correct the file as another hold is written, or remove it.',
    path,
  };
}
