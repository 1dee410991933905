/** What a layout leaves uncovered, by kind: what belongs to no one is as much a result as what was found. */
import type { Coordinates } from '../../model/index.ts';
import type { Layout } from '../../layout/layout.ts';
import { allBindings, bindPath } from '../../layout/pattern.ts';
import { join, type Survey } from '../survey/survey.ts';
import { environmentWord, GENERATED_FOLDERS, isSharedName } from '../survey/words.ts';

/**
 * `environment`: it has the name of an environment; `sibling`: it stands beside what the layout takes; `shared`: a base or defaults;
 * `chart`: a Helm chart; `generated`: made from the rest; `other`: the rest.
 */
export type UncoveredKind = 'environment' | 'sibling' | 'shared' | 'chart' | 'generated' | 'other';

export interface Coverage {
  /** Files that some scope holds. */
  readonly covered: number;
  readonly uncovered: readonly UncoveredGroup[];
}

interface UncoveredGroup {
  readonly kind: UncoveredKind;
  readonly files: number;
  /** Some of the folders (of two levels) or files of the top, those with the most files first. */
  readonly paths: readonly string[];
}

const FILES = 20_000;
const NAMED = 5;

export function coverageOf(survey: Survey, layout: Layout, found: readonly Coordinates[]): Coverage {
  const judge = judgeOf(layout, found);
  const groups = new Map<UncoveredKind, Map<string, number>>();
  let [all, covered] = [0, 0];
  for (const { path: folder, files } of survey.folders.values())
    for (const name of files) {
      const path = join(folder, name);
      if (all >= FILES || layout.isExcluded(path)) continue;
      all += 1;
      const kind = judge(path);
      if (kind === null) covered += 1;
      else {
        const group = groups.get(kind) ?? new Map<string, number>();
        const place = folder === '' ? name : folder.split('/').slice(0, 2).join('/');
        groups.set(kind, group.set(place, (group.get(place) ?? 0) + 1));
      }
    }
  const uncovered = [...groups].map(([kind, places]) => ({
    kind,
    files: [...places.values()].reduce((sum, count) => sum + count, 0),
    paths: [...places]
      .sort((a, b) => b[1] - a[1])
      .slice(0, NAMED)
      .map(([place]) => place),
  }));
  return { covered, uncovered: uncovered.sort((a, b) => b.files - a.files) };
}

/** The kind of a file that no scope holds; null for one that some scope holds. */
export function judgeOf(
  layout: Layout,
  found: readonly Coordinates[],
): (path: string) => UncoveredKind | null {
  const patterns = [...layout.environment, ...layout.service];
  const bound = patterns.map((pattern) => bindPath(pattern, {}));
  const environments = new Set(found.map(({ environment }) => environment));
  const roots = patterns.map(({ segments }) =>
    segments.findIndex(
      (segment) =>
        segment !== '**' &&
        segment.some((piece) => 'placeholder' in piece && piece.placeholder === 'environment'),
    ),
  );
  const covers = (path: string) =>
    bound.some((selection, index) => {
      const bindings = selection.match(path);
      if (bindings === null) return false;
      if (!layout.isIgnored({ ...bindings, service: '' })) return true;
      const pattern = patterns[index];
      return (
        pattern !== undefined &&
        allBindings(pattern, path).some((other) => !layout.isIgnored({ ...other, service: '' }))
      );
    });
  const isBeside = (names: readonly string[]) =>
    roots.some((at, index) => {
      if (at < 0 || names.length <= at) return false;
      return bound[index]?.reaches(names.slice(0, at).join('/')) === true || at === 0;
    });
  return (path) => {
    if (covers(path)) return null;
    const names = path.split('/');
    if (names.some((name) => GENERATED_FOLDERS.has(name.toLowerCase()))) return 'generated';
    if (
      names.some((name) => /^(?:templates|crds|charts)$/i.test(name)) ||
      /(?:^|\/)Chart\.(?:yaml|lock)$/.test(path)
    )
      return 'chart';
    if (names.some((name) => namesEnvironment(stemOf(name), environments))) return 'environment';
    if (names.some((name) => isSharedName(stemOf(name)))) return 'shared';
    return isBeside(names) ? 'sibling' : 'other';
  };
}

export const stemOf = (name: string) => name.replace(/(?<=.)\.[^.]*$/, '');

/** Is it called like one of these, as a whole or as a word of it; or, where it says so surely, like some environment? */
export function namesEnvironment(stem: string, known: ReadonlySet<string>): boolean {
  if (known.has(stem)) return true;
  const { weight, rest } = environmentWord(stem);
  if (weight >= 0.9 && rest === '') return true;
  return [...known].some((name) => stem.startsWith(`${name}-`) || stem.endsWith(`-${name}`));
}
