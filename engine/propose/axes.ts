/** Where environments stand in a tree: folders or files of one folder, or of many folders that are built alike. */
import type { ReadValues } from './content.ts';
import { occurrencesIn } from './names.ts';
import {
  evidenceOf,
  FOLDER,
  type Form,
  listedOccurrences,
  type Occurrence,
  type Place,
  repeatedIn,
} from './occurrences.ts';
import { join, likeness, overlap, sample, type Survey } from './survey.ts';
import {
  ENVIRONMENT_FOLDERS,
  GENERATED_FOLDERS,
  isNoEnvironment,
  isNoService,
  SERVICE_FOLDERS,
  TENANT_FOLDERS,
} from './words.ts';

export interface Axis {
  /** Folders on the way; `*` where they vary. */
  readonly prefix: readonly string[];
  readonly form: Form;
  readonly places: readonly Place[];
  readonly names: ReadonlySet<string>;
  /** From 1 on, these are environments. */
  readonly evidence: number;
}
/** Occurrences that are compared with each other. */
const COMPARED = 4000;

export async function findAxes(survey: Survey, read: ReadValues): Promise<Axis[]> {
  const folders = [...survey.folders.values()];
  const first = [
    ...(await listedOccurrences(folders, read)),
    ...folders.flatMap((folder) => occurrencesIn(folder)),
  ];
  const known = new Set(first.filter((one) => evidenceOf(one) >= 1).flatMap(({ names }) => names));
  const all = unique([...first, ...folders.flatMap((folder) => repeatedIn(folder, known))]);
  return merge(survey, sample(withoutNested(all), COMPARED))
    .map((axis) => withLikeNames(survey, axis))
    .sort((a, b) => b.evidence - a.evidence);
}

/** The first of each folder and form. */
function unique(all: readonly Occurrence[]): Occurrence[] {
  const first = new Map<string, Occurrence>();
  for (const one of all) {
    const key = JSON.stringify([one.folder, one.form]);
    if (!first.has(key)) first.set(key, one);
  }
  return [...first.values()];
}

/** Within an environment, the same words mean something else. */
function withoutNested(all: readonly Occurrence[]): Occurrence[] {
  const roots = new Set(
    all
      .filter((one) => !one.form.file && evidenceOf(one) >= 1)
      .flatMap(({ folder, names }) => names.map((name) => join(folder, name))),
  );
  const ways = (folder: string) => folder.split('/').map((_, at, names) => names.slice(0, at + 1).join('/'));
  return all.filter(({ folder }) => !ways(folder).some((way) => roots.has(way)));
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
  const groups = new Map<string, Partial[][]>();
  for (const part of parts) {
    const rest = part.prefix.map((name, index) => (index === position ? '' : name)).join('/');
    const beside = groups.get(rest) ?? [];
    groups.set(rest, beside);
    const group = beside.find(([first]) => first && isAlike(survey, [first, part], position));
    if (group) group.push(part);
    else beside.push([part]);
  }
  return [...groups.values()].flat().map((group) => {
    const prefix = group[0]?.prefix ?? [];
    const varies = group.length > 1 || TENANT_FOLDERS.has((prefix[position - 1] ?? '').toLowerCase());
    return {
      prefix: prefix.map((name, index) => (index === position && varies ? '*' : name)),
      members: group.flatMap(({ members }) => members),
    };
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
    evidence: evidenceOf({ weights }),
  };
}

/** Folders beside environments that are built like them are environments, whatever their names. */
function withLikeNames(survey: Survey, axis: Axis): Axis {
  if (axis.form.file || axis.form.before !== '' || axis.evidence < 1) return axis;
  const childrenOf = (path: string) => {
    const { entered = [], files = [] } = survey.folders.get(path) ?? {};
    return new Set([...entered, ...files]);
  };
  const places = axis.places.map((place) => {
    const roots = place.names.map((name) => join(place.folder, name));
    const known = new Set(roots.flatMap((root) => [...survey.namesBelow(root)]));
    const children = new Set(roots.flatMap((root) => [...childrenOf(root)]));
    const isLike = (path: string) =>
      likeness(survey.namesBelow(path), known) >= 0.6 && overlap(childrenOf(path), children) >= 0.5;
    const others = (survey.folders.get(place.folder)?.entered ?? []).filter(
      (name) =>
        !place.names.includes(name) &&
        !isNoEnvironment(name) &&
        !isContainer(name) &&
        isLike(join(place.folder, name)),
    );
    return { ...place, names: [...place.names, ...others] };
  });
  return { ...axis, places, names: new Set(places.flatMap(({ names }) => names)) };
}
