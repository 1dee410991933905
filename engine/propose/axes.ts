/** Where environments stand in a tree: folders or files of one folder, or of many folders that are built alike. */
import { collectionsIn, type ReadValues } from './content.ts';
import { join, likeness, overlap, sample, type Folder, type Survey } from './survey.ts';
import {
  endingOf,
  ENVIRONMENT_FOLDERS,
  environmentWord,
  GENERATED_FOLDERS,
  isNoEnvironment,
  isNoService,
  SERVICE_FOLDERS,
  TENANT_FOLDERS,
} from './words.ts';

/** How the name of an environment stands in the name of a folder or file. */
export interface Form {
  readonly file: boolean;
  /** Text around it; `{service}-` where that names the service. */
  readonly before: string;
  readonly after: string;
}

export interface Place {
  readonly folder: string;
  readonly names: readonly string[];
  /** Where the form names services. */
  readonly services?: readonly string[];
}

export interface Axis {
  /** Folders on the way; `*` where they vary. */
  readonly prefix: readonly string[];
  readonly form: Form;
  readonly places: readonly Place[];
  readonly names: ReadonlySet<string>;
  /** From 1 on, these are environments. */
  readonly evidence: number;
}

interface Occurrence extends Place {
  readonly form: Form;
  /** By name. */
  readonly weights: ReadonlyMap<string, number>;
}

const FOLDER: Form = { file: false, before: '', after: '' };

export async function findAxes(survey: Survey, read: ReadValues): Promise<Axis[]> {
  const folders = [...survey.folders.values()];
  const first = folders.flatMap((folder) => occurrencesIn(folder));
  const listed = await listedOccurrences(folders, read);
  const known = new Set([...first, ...listed].filter(isSure).flatMap(({ names }) => names));
  const taken = new Set([...first, ...listed].map(keyOf));
  const repeated = folders
    .flatMap((folder) => repeatedIn(folder, known))
    .filter((occurrence) => !taken.has(keyOf(occurrence)));
  const all = unique([...listed, ...first, ...repeated]);
  return merge(
    survey,
    all.filter((occurrence) => !isNested(occurrence, all)),
  )
    .map((axis) => withLikeNames(survey, axis))
    .sort((a, b) => b.evidence - a.evidence);
}

const keyOf = ({ folder, form }: Occurrence) => JSON.stringify([folder, form]);
const isSure = ({ weights }: Occurrence) => total(weights) >= 1;
const total = (weights: ReadonlyMap<string, number>) =>
  [...weights.values()].reduce((sum, weight) => sum + weight, 0);

function unique(all: readonly Occurrence[]): Occurrence[] {
  const first = new Map<string, Occurrence>();
  for (const occurrence of all) if (!first.has(keyOf(occurrence))) first.set(keyOf(occurrence), occurrence);
  return [...first.values()];
}

function occurrence(folder: string, form: Form, weights: ReadonlyMap<string, number>): Occurrence[] {
  return weights.size === 0 ? [] : [{ folder, form, weights, names: [...weights.keys()] }];
}

/** What the names in one folder say. */
function occurrencesIn(folder: Folder): Occurrence[] {
  const { path, entered } = folder;
  const splits = entered.flatMap((name) => splitName(name, '') ?? []);
  const { services } = withServices(path, splits, false);
  const plain = services.length > 0 ? [] : occurrence(path, FOLDER, byWord(entered));
  const found = [...services, ...plain, ...filesByWord(folder)];
  return found.length > 0 ? found : inContainer(folder);
}

function byWord(names: readonly string[]): Map<string, number> {
  const words = names
    .filter((name) => !isNoEnvironment(name))
    .map((name) => ({ name, ...environmentWord(name) }))
    .filter(({ weight }) => weight > 0);
  // `acme-prod` alone may be anything; beside `acme-staging` it is an environment.
  const paired = words.filter(
    ({ rest, name }) => rest === '' || words.some((other) => other.rest === rest && other.name !== name),
  );
  return new Map(paired.map(({ name, weight }) => [name, weight]));
}

/** Names of files that hold the name of an environment: `values-prod.yaml`. */
function filesByWord({ path, files }: Folder): Occurrence[] {
  const splits = files.flatMap((file) => {
    const ending = endingOf(file);
    return ending === null ? [] : (splitName(file.slice(0, file.length - ending.length), ending) ?? []);
  });
  const { services, rest } = withServices(path, splits, true);
  const groups = new Map<string, Split[]>();
  for (const split of rest) {
    const key = JSON.stringify([split.before, split.after]);
    groups.set(key, [...(groups.get(key) ?? []), split]);
  }
  const others = [...groups.values()].flatMap((group) => {
    const { before = '', after = '' } = group[0] ?? {};
    return occurrence(path, { file: true, before, after }, weigh(group));
  });
  return [...services, ...others];
}

/** The name of an environment, and the text around it. */
interface Split {
  readonly before: string;
  readonly name: string;
  readonly after: string;
}

const weigh = (splits: readonly Split[]) =>
  new Map(splits.map(({ name }) => [name, environmentWord(name).weight]));

/** `api-staging`, `api-prod`, `web-prod`: what stands before environments is a service, if several have environments in common. */
function withServices(
  path: string,
  splits: readonly Split[],
  file: boolean,
): { services: Occurrence[]; rest: readonly Split[] } {
  const named = splits.filter(({ before }) => before !== '' && !isNoService(before.slice(0, -1)));
  const groups = new Map<string, Split[]>();
  for (const split of named) {
    const key = JSON.stringify([split.before.slice(-1), split.after]);
    groups.set(key, [...(groups.get(key) ?? []), split]);
  }
  const good = [...groups.values()].filter((group) => {
    const befores = new Set(group.map(({ before }) => before));
    return befores.size > 1 && group.length >= befores.size * 1.5;
  });
  const services = good.flatMap((group) => {
    const { before = '', after = '' } = group[0] ?? {};
    const found = occurrence(path, { file, before: `{service}${before.slice(-1)}`, after }, weigh(group));
    const names = [...new Set(group.map((split) => split.before.slice(0, -1)))];
    return found.map((one) => ({ ...one, services: names }));
  });
  const taken = new Set(good.flat());
  return { services, rest: splits.filter((split) => !taken.has(split)) };
}

/** `values-prod`: `values-` and `prod`; null where no part of the name is an environment's. */
function splitName(stem: string, ending: string): Split | null {
  const isName = (text: string) => {
    const { weight, rest } = environmentWord(text);
    return weight > 0 && rest === '' && !isNoEnvironment(text);
  };
  if (isName(stem)) return { before: '', name: stem, after: ending };
  const cuts = [...stem.matchAll(/[-_.]/g)].map(({ index }) => index);
  const end = cuts.find((cut) => isName(stem.slice(cut + 1)));
  if (end !== undefined) return { before: stem.slice(0, end + 1), name: stem.slice(end + 1), after: ending };
  const start = cuts.toReversed().find((cut) => isName(stem.slice(0, cut)));
  return start === undefined
    ? null
    : { before: '', name: stem.slice(0, start), after: `${stem.slice(start)}${ending}` };
}

/** `clusters/…`: whatever stands there is an environment. */
function inContainer({ path, entered, files }: Folder): Occurrence[] {
  if (!ENVIRONMENT_FOLDERS.has(lastOf(path))) return [];
  const weights = (names: readonly string[]) =>
    new Map(names.map((name, index) => [name, index === 0 ? 0.8 : 0.3]));
  const folders = entered.filter((name) => !isNoEnvironment(name));
  if (folders.length > 0) return occurrence(path, FOLDER, weights(folders));
  return stemsByEnding(files).flatMap(([after, stems]) =>
    occurrence(path, { file: true, before: '', after }, weights(stems)),
  );
}

const lastOf = (path: string) => (path.split('/').at(-1) ?? '').toLowerCase();

export function stemsByEnding(files: readonly string[]): [string, string[]][] {
  const stems = new Map<string, string[]>();
  for (const file of files) {
    const ending = endingOf(file);
    const stem = ending === null ? '' : file.slice(0, file.length - ending.length);
    if (ending === null || isNoService(stem) || isNoEnvironment(stem)) continue;
    stems.set(ending, [...(stems.get(ending) ?? []), stem]);
  }
  return [...stems].filter(([, names]) => names.length > 0);
}

/** Files beside each other that each list named, deployed things, some of them the same: a file an environment. */
async function listedOccurrences(folders: readonly Folder[], read: ReadValues): Promise<Occurrence[]> {
  const found: Occurrence[] = [];
  for (const { path, files } of folders.slice(0, 200)) {
    for (const [after, stems] of stemsByEnding(files)) {
      if (stems.length < 2 || stems.length > 60 || !/ya?ml|json/.test(after)) continue;
      const lists: Set<string>[] = [];
      for (const stem of sample(stems, 4)) {
        const collections = collectionsIn(await read(join(path, `${stem}${after}`)));
        const names = collections.filter(({ kind, deployed }) => kind === 'list' && deployed);
        lists.push(new Set(names.flatMap((list) => list.names)));
        if (lists.length === 2 && lists.every(({ size }) => size === 0)) break;
      }
      const [one = new Set<string>(), ...others] = lists.filter(({ size }) => size > 0);
      if (others.length + 1 < lists.length || !others.some((other) => overlap(one, other) > 0)) continue;
      const weights = new Map(stems.map((stem) => [stem, 0.6]));
      found.push(...occurrence(path, { file: true, before: '', after }, weights));
    }
  }
  return found;
}

/** Names that are environments elsewhere stand here as well. */
function repeatedIn({ path, entered, files }: Folder, known: ReadonlySet<string>): Occurrence[] {
  const most = (names: readonly string[]) => {
    const same = names.filter((name) => known.has(name));
    return same.length >= 2 && same.length * 2 >= names.length
      ? new Map(same.map((name) => [name, 0.4]))
      : new Map<string, number>();
  };
  return [
    ...occurrence(path, FOLDER, most(entered)),
    ...stemsByEnding(files).flatMap(([after, stems]) =>
      occurrence(path, { file: true, before: '', after }, most(stems)),
    ),
  ];
}

/** Within an environment, the same words mean something else. */
function isNested({ folder }: Occurrence, all: readonly Occurrence[]): boolean {
  return all.some(
    (outer) =>
      !outer.form.file &&
      isSure(outer) &&
      outer.names.some((name) => `${folder}/`.startsWith(`${join(outer.folder, name)}/`)),
  );
}

function merge(survey: Survey, all: readonly Occurrence[]): Axis[] {
  const groups = new Map<string, Occurrence[]>();
  for (const one of all) {
    const key = JSON.stringify([one.form, one.folder === '' ? 0 : one.folder.split('/').length]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((group) => {
    let parts = group.map((one) => ({
      prefix: one.folder === '' ? [] : one.folder.split('/'),
      members: [one],
    }));
    const depth = parts[0]?.prefix.length ?? 0;
    for (let position = depth - 1; position >= 0; position -= 1) parts = mergeAt(survey, parts, position);
    return parts.map(({ prefix, members }) => axisOf(prefix, members));
  });
}

interface Partial {
  readonly prefix: string[];
  readonly members: Occurrence[];
}

/** Folders that differ in one place only and are built alike below: that place varies. */
function mergeAt(survey: Survey, parts: readonly Partial[], position: number): Partial[] {
  const groups: Partial[][] = [];
  for (const part of parts) {
    const rest = (prefix: readonly string[]) => prefix.filter((_, index) => index !== position).join('/');
    const group = groups.find(
      ([first]) =>
        first && rest(first.prefix) === rest(part.prefix) && isAlike(survey, [first, part], position),
    );
    if (group) group.push(part);
    else groups.push([part]);
  }
  return groups.flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const [only] = [first.prefix[position] ?? ''];
    const isVaried = group.length > 1 || TENANT_FOLDERS.has((first.prefix[position - 1] ?? '').toLowerCase());
    const prefix = first.prefix.map((name, index) => (index === position && isVaried ? '*' : name));
    return only === '' ? group : [{ prefix, members: group.flatMap(({ members }) => members) }];
  });
}

const isContainer = (name: string) =>
  [ENVIRONMENT_FOLDERS, TENANT_FOLDERS, SERVICE_FOLDERS, GENERATED_FOLDERS].some((words) =>
    words.has(name.toLowerCase()),
  ) || isNoService(name);

function isAlike(survey: Survey, [a, b]: readonly [Partial, Partial], position: number): boolean {
  const [one = '', other = ''] = [a.prefix[position], b.prefix[position]];
  const above = (a.prefix[position - 1] ?? '').toLowerCase();
  if (TENANT_FOLDERS.has(above) || SERVICE_FOLDERS.has(above)) return true;
  if (isContainer(one) || isContainer(other)) return false;
  const names = (part: Partial) => new Set(part.members.flatMap((member) => member.names));
  return overlap(names(a), names(b)) >= 0.5 && likeness(below(survey, a), below(survey, b)) >= 0.3;
}

/** Base names of the files of the environments of some occurrences. */
function below(survey: Survey, { members }: Pick<Partial, 'members'>): Set<string> {
  return new Set(
    members
      .slice(0, 5)
      .flatMap(({ folder, form, names }) =>
        form.file
          ? [`${form.before}*${form.after}`]
          : names.slice(0, 5).flatMap((name) => [...survey.namesBelow(join(folder, name))]),
      ),
  );
}

function axisOf(prefix: readonly string[], members: readonly Occurrence[]): Axis {
  const weights = new Map(members.flatMap((member) => [...member.weights]));
  return {
    prefix,
    form: members[0]?.form ?? FOLDER,
    places: members.map(({ folder, names, services = [] }) => ({ folder, names, services })),
    names: new Set(weights.keys()),
    evidence: total(weights),
  };
}

/** Folders beside environments that are built like them are environments, whatever their names. */
function withLikeNames(survey: Survey, axis: Axis): Axis {
  if (axis.form.file || axis.form.before !== '' || axis.evidence < 1) return axis;
  const places = axis.places.map((place) => {
    const known = new Set(place.names.flatMap((name) => [...survey.namesBelow(join(place.folder, name))]));
    const others = (survey.folders.get(place.folder)?.entered ?? []).filter(
      (name) =>
        !place.names.includes(name) &&
        !isNoEnvironment(name) &&
        !isContainer(name) &&
        likeness(survey.namesBelow(join(place.folder, name)), known) >= 0.6,
    );
    return { ...place, names: [...place.names, ...others] };
  });
  return { ...axis, places, names: new Set(places.flatMap(({ names }) => names)) };
}
