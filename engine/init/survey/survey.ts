/** A bounded look at a tree: folders with many children are sampled, so that a tree of any size costs about the same. */
import { MODE, type TreeView } from '../../model/index.ts';
import { isCoordinate } from '../../layout/pattern.ts';
import { isFile } from '../../snapshot/view.ts';
import { endingOf, environmentWord, SKIPPED_FOLDERS } from './words.ts';

export interface Folder {
  readonly path: string;
  /** Names of all folders in it that could matter; only those of `entered` are in the survey themselves. */
  readonly folders: readonly string[];
  readonly entered: readonly string[];
  /** Names of files that may describe deployments. */
  readonly files: readonly string[];
  readonly pointers: number;
  /** What says that the source code of a program stands here (`Gemfile`); null where nothing does. */
  readonly program: string | null;
}

export interface Survey {
  readonly folders: ReadonlyMap<string, Folder>;
  /** Was everything looked at? */
  readonly complete: boolean;
  /** How many files were seen. */
  readonly files: number;
  /** How many submodules and links; what they lead to is not looked at. */
  readonly pointers: number;
  /** How many of them stand below a folder. */
  filesBelow(path: string): number;
  /** Base names of the files below a folder, as far as it was looked at. */
  namesBelow(path: string): ReadonlySet<string>;
}

export interface SurveyLimits {
  /** Folders that are listed. */
  readonly folders: number;
  /** Folders of one folder that are entered where it has more. */
  readonly siblings: number;
}

const LIMITS: SurveyLimits = { folders: 4000, siblings: 150 };
const DEPTH = 9;
const FILES = 400;

/** Folder by folder from the top, so that the budget is spent evenly. */
export async function surveyTree(view: TreeView, limits: SurveyLimits = LIMITS): Promise<Survey> {
  const folders = new Map<string, Folder>();
  let complete = true;
  let level = [''];
  for (let depth = 0; depth < DEPTH && level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const path of sample(level, limits.folders - folders.size)) {
      const folder = await look(view, path, limits);
      folders.set(path, folder);
      complete &&= folder.entered.length === folder.folders.length;
      next.push(...folder.entered.map((name) => join(path, name)));
    }
    complete &&= level.every((path) => folders.has(path));
    level = next;
  }
  const filesBelow = count(folders);
  return {
    folders,
    complete: complete && level.length === 0,
    files: filesBelow(''),
    pointers: [...folders.values()].reduce((sum, folder) => sum + folder.pointers, 0),
    filesBelow,
    namesBelow: remember(folders),
  };
}

/** What builds or starts programs of the usual languages. */
const PROGRAM =
  /^(?:Gemfile|Rakefile|config\.ru|manage\.py|setup\.py|pyproject\.toml|requirements\.txt|package\.json|pom\.xml|build\.gradle(?:\.kts)?|go\.mod|Cargo\.toml|composer\.json|mix\.exs|.+\.sln)$/;

async function look(view: TreeView, path: string, limits: SurveyLimits): Promise<Folder> {
  const folders: string[] = [];
  const files: string[] = [];
  let pointers = 0;
  let program: string | null = null;
  const entries = await view.list(path);
  // Beside `prod`, `test` is an environment.
  const isStages = entries.some(({ name }) => environmentWord(name).weight >= 0.9);
  const isSkipped = (name: string) =>
    SKIPPED_FOLDERS.has(name) && !(isStages && environmentWord(name).weight > 0);
  for (const { name, mode } of entries) {
    if (mode !== MODE.tree && !isFile(mode)) pointers += 1;
    if (isFile(mode) && PROGRAM.test(name)) program ??= name;
    // What a pattern cannot name as it is, and folders of tools (`.github`).
    if (!isCoordinate(name) || /^\.|[*?{}\\\p{C}]/u.test(name)) continue;
    if (mode === MODE.tree && !isSkipped(name.toLowerCase())) folders.push(name);
    else if (isFile(mode) && endingOf(name) !== null) files.push(name);
  }
  return {
    path,
    folders,
    entered: choose(folders, limits.siblings),
    files: sample(files, FILES),
    pointers,
    program,
  };
}

/** Those that look like environments, and some of the others. */
function choose(names: readonly string[], limit: number): readonly string[] {
  if (names.length <= limit) return names;
  const known = names.filter((name) => environmentWord(name).weight > 0).slice(0, limit);
  const taken = new Set([...known, ...sample(names, limit)]);
  return names.filter((name) => taken.has(name));
}

/** Evenly spread, the first and the last included. */
export function sample<T>(values: readonly T[], limit: number): readonly T[] {
  if (values.length <= limit) return values;
  if (limit <= 1) return values.slice(0, Math.max(0, limit));
  const step = (values.length - 1) / (limit - 1);
  return Array.from({ length: limit }, (_, index) => values[Math.round(index * step)]).filter(
    (value) => value !== undefined,
  );
}

export const join = (folder: string, name: string) =>
  folder === '' ? name : name === '' ? folder : `${folder}/${name}`;

function count(folders: ReadonlyMap<string, Folder>): Survey['filesBelow'] {
  const known = new Map<string, number>();
  const filesBelow = (path: string): number => {
    const found = known.get(path);
    if (found !== undefined) return found;
    const { files = [], entered = [] } = folders.get(path) ?? {};
    const all = entered.reduce((sum, name) => sum + filesBelow(join(path, name)), files.length);
    known.set(path, all);
    return all;
  };
  return filesBelow;
}

function remember(folders: ReadonlyMap<string, Folder>): Survey['namesBelow'] {
  const known = new Map<string, ReadonlySet<string>>();
  const namesBelow = (path: string): ReadonlySet<string> => {
    const found = known.get(path);
    if (found) return found;
    const folder = folders.get(path);
    const names = new Set(folder?.files);
    for (const child of folder?.entered ?? [])
      for (const name of namesBelow(join(path, child))) if (names.size < FILES) names.add(name);
    known.set(path, names);
    return names;
  };
  return namesBelow;
}

/** How much two sets have in common: 0 to 1, of the smaller one. */
export function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const smaller = Math.min(a.size, b.size);
  return smaller === 0 ? 0 : [...a].filter((name) => b.has(name)).length / smaller;
}

/** The same of both together. */
export function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const common = [...a].filter((name) => b.has(name)).length;
  const all = a.size + b.size - common;
  return all === 0 ? 0 : common / all;
}

export async function some<T>(values: readonly T[], holds: (value: T) => Promise<boolean>): Promise<boolean> {
  for (const value of values) if (await holds(value)) return true;
  return false;
}
