/** What has come to a tree that its layout does not cover: a new environment, or something beside what the layout takes. */
import type { TreeView } from '../../model/index.ts';
import { discover } from '../../layout/discover.ts';
import type { Layout } from '../../layout/layout.ts';
import { bindPath, PLACEHOLDERS } from '../../layout/pattern.ts';
import { walkFiles } from '../../snapshot/view.ts';
import { judgeOf, namesEnvironment, stemOf } from './coverage.ts';
import { endingOf, SKIPPED_FOLDERS } from '../survey/words.ts';

export interface NewPath {
  /** The folder or file that has come. */
  readonly path: string;
  /** `environment`: it is called like one that the layout does not find; `sibling`: it stands beside what the layout takes, or is of an environment that it finds. */
  readonly kind: 'environment' | 'sibling';
  /** One sentence: what to write into the configuration. */
  readonly suggestion: string;
}

interface Question {
  readonly view: TreeView;
  readonly layout: Layout;
  /** The tree as it was when the layout was written; null: everything counts as new. */
  readonly before: TreeView | null;
}

/** Sorted by path; nothing for what `layout.ignore` names, and for bases, charts and what is generated. */
export async function newPaths({ view, layout, before }: Question): Promise<NewPath[]> {
  const found = await discover(view, layout);
  const known = new Set(found.map(({ environment }) => environment));
  const judge = judgeOf(layout, found);
  const isDecided = ignoredBy(layout);
  const enters = (folder: string) => {
    const name = folder.slice(folder.lastIndexOf('/') + 1);
    return !name.startsWith('.') && (known.has(name) || !SKIPPED_FOLDERS.has(name.toLowerCase()));
  };
  const places = new Map<string, NewPath>();
  for (const { path } of await walkFiles(view, '', enters)) {
    if (layout.isExcluded(path) || /(?:^|\/)\./.test(path) || endingOf(path.split('/').at(-1) ?? '') === null)
      continue;
    const kind = judge(path);
    if ((kind !== 'environment' && kind !== 'sibling') || isDecided(path)) continue;
    if (before !== null && (await before.entry(path)) !== null) continue;
    const place = kind === 'environment' ? namedPlace(path, known) : siblingPlace(path, layout);
    if (place !== null && !places.has(place.path)) places.set(place.path, place);
  }
  return [...places.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Names that the configuration says are none. */
function ignoredBy({ environment, service, config }: Layout): (path: string) => boolean {
  const selections = [...environment, ...service].map((pattern) => bindPath(pattern, {}));
  const { ignore } = config.layout;
  return (path) =>
    selections.some((selection) => {
      const bindings = selection.match(path);
      return PLACEHOLDERS.some((name) => ignore[name].includes(bindings?.[name] ?? ''));
    });
}

function namedPlace(path: string, known: ReadonlySet<string>): NewPath | null {
  const parts = path.split('/');
  const at = parts.findIndex((part) => namesEnvironment(stemOf(part), known));
  const part = parts[at];
  if (part === undefined) return null;
  const isFolder = at < parts.length - 1;
  const stem = isFolder ? part : stemOf(part);
  const own = [...known].find((name) => stem === name || (!isFolder && stem.endsWith(`-${name}`)));
  const name = own ?? stem;
  const place = parts.slice(0, at + 1).join('/');
  const pattern = [
    ...parts.slice(0, at),
    part.replace(name, '{environment}'),
    ...(isFolder ? ['**'] : []),
  ].join('/');
  return {
    path: place,
    kind: own === undefined ? 'environment' : 'sibling',
    suggestion: `Add ${JSON.stringify(pattern)} to \`layout.environment\`; or, where ${name} is not rolled back there, leave it out on purpose with \`layout.ignore\`.`,
  };
}

/** What stands where the name of an environment would. */
function siblingPlace(path: string, layout: Layout): NewPath | null {
  const parts = path.split('/');
  for (const pattern of [...layout.environment, ...layout.service]) {
    const at = pattern.segments.findIndex(
      (segment) =>
        segment !== '**' &&
        segment.some((piece) => 'placeholder' in piece && piece.placeholder === 'environment'),
    );
    if (at < 0 || parts.length <= at) continue;
    if (at > 0 && !bindPath(pattern, {}).reaches(parts.slice(0, at).join('/'))) continue;
    const name = parts[at] ?? '';
    return {
      path: parts.slice(0, at + 1).join('/'),
      kind: 'sibling',
      suggestion: `${JSON.stringify(pattern.text)} takes what is beside it, and not ${name}: add a pattern that does, or add it to \`layout.ignore\`.`,
    };
  }
  return null;
}
