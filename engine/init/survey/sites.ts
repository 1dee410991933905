/** Groups of names beside each other in one folder, each of which could be the environments of a layout. */
import type { Folder } from './survey.ts';
import { endingOf, environmentWord, isNoEnvironment, isNoServiceFile, isRegion } from './words.ts';

/** How the name of an environment stands in the name of a folder or file. */
export interface Form {
  readonly file: boolean;
  /** Text around it; `{service}-` before it or `-{service}` behind it where that names the service. */
  readonly before: string;
  readonly after: string;
}

export interface Site {
  readonly folder: string;
  readonly form: Form;
  readonly names: readonly string[];
  /** Where the form names services. */
  readonly services?: readonly string[];
}

export const FOLDER: Form = { file: false, before: '', after: '' };

/** Sites of one folder: its folders, its files by ending, and names that share a beginning or an end (`values-prod.yaml`). */
export function sitesOf({ path: folder, entered, files }: Folder, given: readonly string[] = []): Site[] {
  const groups: { file: boolean; stems: readonly string[]; ending: string }[] = [
    { file: false, stems: entered, ending: '' },
    ...[...byEnding(files)].map(([ending, stems]) => ({ file: true, stems, ending })),
  ];
  return groups.flatMap(({ file, stems, ending }) => {
    const site = (before: string, after: string, names: readonly string[]): Site => ({
      folder,
      form: { file, before, after: `${after}${ending}` },
      names: names.filter(
        (name) => given.includes(name) || isCandidate(name, file && before === '' && after === ''),
      ),
    });
    // A cluster's name is whole: `eng-prod` is no service called `eng`.
    const isWhole = !file && /(?:^|\/)clusters?$/i.test(folder);
    const paired = (isWhole ? [] : pairs(stems, given)).map(
      ({ separator, services, environments, isFirst }) => ({
        ...(isFirst
          ? site('', `${separator}{service}`, environments)
          : site(`{service}${separator}`, '', environments)),
        services,
      }),
    );
    const all = paired.length > 0 ? paired : [site('', '', stems)];
    if (file && paired.length === 0)
      all.push(...affixes(stems).map(({ before, after, names }) => site(before, after, names)));
    return all.filter(({ names }) => names.length > 0);
  });
}

const isCandidate = (name: string, whole: boolean) =>
  !isNoEnvironment(name) && !(whole && isNoServiceFile(name));

/** Names of files without their ending. */
function byEnding(files: readonly string[]): Map<string, string[]> {
  const stems = new Map<string, string[]>();
  for (const file of files) {
    const ending = endingOf(file);
    if (ending === null) continue;
    stems.set(ending, [...(stems.get(ending) ?? []), file.slice(0, file.length - ending.length)]);
  }
  return stems;
}

interface Affix {
  readonly before: string;
  readonly after: string;
  readonly names: readonly string[];
}

/** Beginnings and ends that two or more names share, or that are a name of their own: `values-prod` beside `values`. */
function affixes(stems: readonly string[]): Affix[] {
  const known = new Set(stems);
  const before = new Map<string, string[]>();
  const after = new Map<string, string[]>();
  const add = (map: Map<string, string[]>, key: string, name: string) => {
    const names = map.get(key);
    if (names) names.push(name);
    else map.set(key, [name]);
  };
  for (const stem of stems)
    for (const { index } of [...stem.matchAll(/[-_.]/g)].slice(0, 6)) {
      if (index === 0 || index === stem.length - 1) continue;
      add(before, stem.slice(0, index + 1), stem.slice(index + 1));
      add(after, stem.slice(index), stem.slice(0, index));
    }
  const enough = (key: string, names: readonly string[]) =>
    names.length > 1 || known.has(key.replace(/^[-_.]|[-_.]$/g, ''));
  return [
    ...[...before]
      .filter(([key, names]) => enough(key, names))
      .map(([key, names]) => ({ before: key, after: '', names })),
    ...[...after]
      // `values-prod` before `-eu`: what is before it is no part of a name.
      .filter(([key, names]) => enough(key, names) && !names.every((name) => /^values[-_.]/i.test(name)))
      .map(([key, names]) => ({ before: '', after: key, names })),
  ];
}

interface Pairing {
  readonly separator: string;
  readonly services: readonly string[];
  readonly environments: readonly string[];
  /** Does the environment come first? */
  readonly isFirst: boolean;
}

export const namesService = ({ before, after }: Form) => `${before}${after}`.includes('{service}');

/** `api-staging`, `api-prod`, `web-prod`: names made of a service and an environment, several of which share either. */
function pairs(stems: readonly string[], given: readonly string[]): Pairing[] {
  return [false, true].flatMap((isFirst) =>
    ['-', '_', '.'].flatMap((separator) => {
      const split = stems.flatMap((stem) => {
        for (let cut = stem.indexOf(separator); cut > 0; cut = stem.indexOf(separator, cut + 1)) {
          const parts = [stem.slice(0, cut), stem.slice(cut + 1)];
          const [service = '', environment = ''] = isFirst ? parts.toReversed() : parts;
          const { weight, rest } = environmentWord(environment);
          const isNamed = given.includes(environment) || (weight >= 0.4 && rest === '');
          if (isNamed && service !== '' && !isNoServiceFile(service)) return [{ service, environment }];
        }
        return [];
      });
      const services = [...new Set(split.map(({ service }) => service))];
      const environments = [...new Set(split.map(({ environment }) => environment))];
      const is =
        !services.every(isRegion) &&
        services.length > 1 &&
        environments.length > 1 &&
        split.length >= services.length * 1.5;
      return is && split.length * 3 >= stems.length * 2
        ? [{ separator, services, environments, isFirst }]
        : [];
    }),
  );
}

/** Names of files without their ending, as far as they could be names of environments or services. */
export function stemsByEnding(files: readonly string[]): [string, string[]][] {
  return [...byEnding(files)]
    .map(([ending, stems]): [string, string[]] => [ending, stems.filter((stem) => isCandidate(stem, true))])
    .filter(([, names]) => names.length > 0);
}
