/** Where the names of environments could stand in a tree: sites of one folder, or of many folders at the same place of their paths. */
import { type Form, namesService, type Site, sitesOf } from './sites.ts';
import { join, likeness, sample, type Survey } from './survey.ts';
import {
  type EnvironmentWord,
  ENVIRONMENT_FOLDERS,
  environmentWord,
  isRegion,
  GENERATED_FOLDERS,
  SERVICE_FOLDERS,
  TENANT_FOLDERS,
} from './words.ts';

export interface Axis {
  /** Folders on the way; `*` where they vary. */
  readonly prefix: readonly string[];
  readonly form: Form;
  readonly places: readonly Site[];
  readonly names: ReadonlySet<string>;
  /** 0 to 1: how much speaks for these names being environments. */
  readonly evidence: number;
  /** Files of the survey below these names. */
  readonly files: number;
}

/** Sites that are compared with each other, and axes that are made of them. */
const SITES = 6000;
const AXES = 4000;

/** All axes with at least some evidence, the best first; `given`: the names that are environments, and no others. */
export function findAxes(survey: Survey, given?: readonly string[]): Axis[] {
  const all = [...survey.folders.values()].flatMap((folder) => sitesOf(folder, given));
  const sites = sample(given ? onlyGiven(all, new Set(given)) : all, SITES);
  const groups = new Map<string, { prefix: readonly string[]; sites: Site[] }>();
  for (const site of sites)
    for (const prefix of prefixesOf(site.folder)) {
      const key = JSON.stringify([prefix, site.form]);
      const group = groups.get(key);
      if (group) group.sites.push(site);
      else groups.set(key, { prefix, sites: [site] });
    }
  const known = foldersByName(sites);
  return sample([...groups.values()].filter(varies), AXES)
    .map((group) => toAxis(survey, { known, isGiven: given !== undefined }, group))
    .sort((a, b) => weightOf(survey, b) - weightOf(survey, a));
}

/** Evidence first; of two that are alike, the one that explains more of the tree. */
export const weightOf = (survey: Survey, { evidence, files }: Pick<Axis, 'evidence' | 'files'>) =>
  evidence * (0.55 + 0.45 * Math.sqrt(files / Math.max(1, survey.files)));

const onlyGiven = (sites: readonly Site[], given: ReadonlySet<string>) =>
  sites
    .map((site) => ({ ...site, names: site.names.filter((name) => given.has(name)) }))
    .filter(({ names }) => names.length > 0);

export const isGenerated = (path: string) =>
  path.split('/').some((name) => GENERATED_FOLDERS.has(name.toLowerCase()));

/** The path itself, and with one or two of its folders varying; what stands in a folder of tenants always varies. */
function prefixesOf(folder: string): string[][] {
  const names = folder === '' ? [] : folder.split('/');
  const own = names.map((name, index) =>
    TENANT_FOLDERS.has((names[index - 1] ?? '').toLowerCase()) ? '*' : name,
  );
  const open = (at: readonly number[]) => own.map((name, index) => (at.includes(index) ? '*' : name));
  const free = own.flatMap((name, index) => (name === '*' ? [] : [index]));
  const most = 2 - (own.length - free.length);
  const one = most >= 1 ? free.map((index) => [index]) : [];
  const two = most >= 2 ? free.flatMap((a, at) => free.slice(at + 1).map((b) => [a, b])) : [];
  return [[], ...one, ...two].map(open);
}

/** A folder that varies stands for several names: three where only its place says so. */
function varies({ prefix, sites }: { prefix: readonly string[]; sites: readonly Site[] }): boolean {
  const least = sites[0]?.form.file === true ? 2 : 3;
  return prefix.every((name, index) => {
    const above = (prefix[index - 1] ?? '').toLowerCase();
    if (name !== '*' || TENANT_FOLDERS.has(above)) return true;
    const names = new Set(sites.map(({ folder }) => folder.split('/')[index] ?? ''));
    if (names.size === 2 && [...names].every((one) => isRegion(one) && /[a-z]/.test(one))) return true;
    return names.size >= (SERVICE_FOLDERS.has(above) ? 2 : least);
  });
}

/** In how many folders a name is one of several: environments recur. */
function foldersByName(sites: readonly Site[]): ReadonlyMap<string, ReadonlySet<string>> {
  const folders = new Map<string, Set<string>>();
  for (const { folder, names } of sites)
    for (const name of names) folders.set(name, (folders.get(name) ?? new Set()).add(folder));
  return folders;
}

function toAxis(
  survey: Survey,
  { known, isGiven }: { known: ReadonlyMap<string, ReadonlySet<string>>; isGiven: boolean },
  { prefix, sites }: { prefix: readonly string[]; sites: readonly Site[] },
): Axis {
  const form = sites[0]?.form ?? { file: false, before: '', after: '' };
  const counts = new Map<string, number>();
  for (const { names } of sites) for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names = new Set(counts.keys());
  const open = prefix.includes('*');
  const share = (holds: (name: string) => number) => {
    const weight = (name: string) => (open ? (counts.get(name) ?? 1) : 1);
    const all = [...names].reduce((sum, name) => sum + weight(name), 0);
    return [...names].reduce((sum, name) => sum + holds(name) * weight(name), 0) / Math.max(1, all);
  };
  const weights = isGiven ? new Map([...names].map((name) => [name, 1])) : wordWeights(names);
  const recurs = (name: string) =>
    Number(open ? (counts.get(name) ?? 0) > 1 : (known.get(name)?.size ?? 0) > 1);
  return {
    prefix,
    form,
    places: sites,
    names,
    files: sites.reduce((sum, site) => sum + filesOf(survey, site), 0),
    evidence: evidenceOf({
      words: share((name) => weights.get(name) ?? 0),
      stages: [...weights.values()].filter((weight) => weight >= 0.8).length,
      container: containerOf(prefix, form) - (isValues(form) ? 0 : 0.4 * unexplained(prefix)),
      recurring: share(recurs),
      alike: alikeness(survey, sites),
      many: names.size,
      isAlone: names.size === 1 && (form.file || [...names].some(isContainer)),
    }),
  };
}

/** `acme-prod` alone may be anything; beside `acme-staging` it is an environment. */
function wordWeights(names: ReadonlySet<string>): ReadonlyMap<string, number> {
  const words = [...names].map((name) => ({ name, ...wordOf(name) }));
  const rests = new Map<string, number>();
  for (const { rest } of words) rests.set(rest, (rests.get(rest) ?? 0) + 1);
  return new Map(
    words.map(({ name, weight, rest }) => [
      name,
      rest === '' || (rests.get(rest) ?? 0) > 1 ? weight : weight * 0.4,
    ]),
  );
}

/** A region is an environment of its own at times. */
function wordOf(name: string): EnvironmentWord {
  const word = environmentWord(name);
  return word.weight === 0 && isRegion(name) ? { weight: 0.35, rest: '' } : word;
}

interface Signs {
  /** Mean weight of the names as words of the field. */
  readonly words: number;
  /** Names that are surely stages. */
  readonly stages: number;
  /** -1 to 1: what the folders above say. */
  readonly container: number;
  /** Share of names that stand elsewhere too. */
  readonly recurring: number;
  /** How alike the files below are. */
  readonly alike: number;
  readonly many: number;
  /** One name that no folder above makes an environment. */
  readonly isAlone: boolean;
}

function evidenceOf({ words, stages, container, recurring, alike, many, isAlone }: Signs): number {
  const named = Math.min(1, words + 0.35 * Math.min(1, stages / 2));
  const lone = isAlone ? 0.3 : many === 1 && container < 1 ? 0.15 : many > 60 ? 0.2 : 0;
  return Math.max(
    0,
    0.45 * named +
      0.25 * (container < 0 ? container * (1 - words) : container) +
      0.2 * recurring +
      0.1 * alike -
      lone,
  );
}

/** `values-prod.yaml`: what stands around the name says what the file is. */
const isValues = ({ file, before }: Form) =>
  file && /^(?:values|config|env|environment|settings|application)[-_.]$/i.test(before);

function containerOf(prefix: readonly string[], form: Form): number {
  const last = (prefix.at(-1) ?? '').toLowerCase();
  if (ENVIRONMENT_FOLDERS.has(last)) return 1;
  if (isValues(form)) return 0.7;
  if (SERVICE_FOLDERS.has(last)) return -0.5;
  const above = prefix.findLastIndex((name) => name === '*');
  return SERVICE_FOLDERS.has((prefix[above - 1] ?? '').toLowerCase()) ? 0.4 : 0;
}

const isContainer = (name: string) =>
  [ENVIRONMENT_FOLDERS, TENANT_FOLDERS, SERVICE_FOLDERS].some((words) => words.has(name.toLowerCase()));

/** Folders that vary where no folder above says that tenants or services stand there. */
const unexplained = (prefix: readonly string[]) =>
  prefix.filter((name, index) => {
    const above = (prefix[index - 1] ?? '').toLowerCase();
    return name === '*' && !SERVICE_FOLDERS.has(above) && !TENANT_FOLDERS.has(above);
  }).length;

function filesOf(survey: Survey, { folder, form, names }: Site): number {
  if (form.file) return names.length * (namesService(form) ? 2 : 1);
  return names.reduce((sum, name) => sum + survey.filesBelow(join(folder, name)), 0);
}

/** How alike what stands below neighbours is, 0 to 1; 0 for files. */
function alikeness(survey: Survey, sites: readonly Site[]): number {
  const values = sample(sites, 12).flatMap(({ folder, form, names }) => {
    if (form.file || form.before !== '' || form.after !== '') return [];
    const below = sample(names, 8).map((name) => survey.namesBelow(join(folder, name)));
    return below.slice(1).map((other, index) => likeness(below[index] ?? new Set(), other));
  });
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
