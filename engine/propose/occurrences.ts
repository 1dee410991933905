/** Places in a tree where names of environments stand: one folder each. */
import { collectionsIn, type ReadValues } from './content.ts';
import { type Folder, join, overlap, sample } from './survey.ts';
import { endingOf, isNoEnvironment, isNoServiceFile } from './words.ts';

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

export interface Occurrence extends Place {
  readonly form: Form;
  /** By name: how much speaks for it. */
  readonly weights: ReadonlyMap<string, number>;
}

export const FOLDER: Form = { file: false, before: '', after: '' };

export function occurrence(folder: string, form: Form, weights: ReadonlyMap<string, number>): Occurrence[] {
  return weights.size === 0 ? [] : [{ folder, form, weights, names: [...weights.keys()] }];
}

/** From 1 on, these are environments. */
export const evidenceOf = ({ weights }: Pick<Occurrence, 'weights'>) =>
  [...weights.values()].reduce((sum, weight) => sum + weight, 0);

/** Names of files without their ending, as far as they could be names of environments or services. */
export function stemsByEnding(files: readonly string[]): [string, string[]][] {
  const stems = new Map<string, string[]>();
  for (const file of files) {
    const ending = endingOf(file);
    const stem = ending === null ? '' : file.slice(0, file.length - ending.length);
    if (ending === null || isNoServiceFile(stem) || isNoEnvironment(stem)) continue;
    stems.set(ending, [...(stems.get(ending) ?? []), stem]);
  }
  return [...stems].filter(([, names]) => names.length > 0);
}

/** Files beside each other that each list named, deployed things, some of them the same: a file an environment. */
export async function listedOccurrences(folders: readonly Folder[], read: ReadValues): Promise<Occurrence[]> {
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
export function repeatedIn({ path, entered, files }: Folder, known: ReadonlySet<string>): Occurrence[] {
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
