/** What the names in one folder say about environments. */
import { FOLDER, occurrence, type Occurrence, stemsByEnding } from './occurrences.ts';
import type { Folder } from './survey.ts';
import { endingOf, ENVIRONMENT_FOLDERS, environmentWord, isNoEnvironment, isNoServiceFile } from './words.ts';

export function occurrencesIn(folder: Folder): Occurrence[] {
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
  const named = splits.filter(({ before }) => before !== '' && !isNoServiceFile(before.slice(0, -1)));
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
