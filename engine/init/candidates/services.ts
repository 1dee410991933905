/** Which names below (or above) the environments of an axis are services, and the patterns that say so. */
import { isCoordinate } from '../../layout/pattern.ts';
import type { Axis } from '../survey/axes.ts';
import { type Collection, collectionsIn, mayDeploy, type ReadValues } from '../survey/content.ts';
import { stemsByEnding } from '../survey/sites.ts';
import { join, overlap, sample, some, type Survey } from '../survey/survey.ts';
import {
  AFFIXES,
  endingOf,
  environmentWord,
  isNoService,
  isRegion,
  SERVICE_FOLDERS,
} from '../survey/words.ts';

export interface ServicePattern {
  /** Behind what stands for the environment: `/services/{service}/**`, `/{service}.yaml`, `#/releases[name={service}]`. */
  readonly below: string;
  readonly names: ReadonlySet<string>;
}

interface Look {
  readonly survey: Survey;
  readonly read: ReadValues;
  readonly axis: Axis;
}

/** The services of an axis, the best pattern first; [] where there are none below. */
export async function servicesBelow(look: Look): Promise<ServicePattern[]> {
  const { axis } = look;
  const roots = environmentRoots(axis);
  const plain = axis.form.file ? [] : await inFolders(look, roots);
  const main = [...plain].sort((a, b) => b.names.size - a.names.size).slice(0, 1);
  const [best] = main;
  const others = plain.filter((other) => best && other !== best && belongs(other, best));
  const known = new Set(best?.names);
  const parts = await partsOf(look, roots, known);
  return [...main, ...others, ...parts];
}

const belongs = (other: ServicePattern, best: ServicePattern) =>
  other.names.size >= 2 &&
  (overlap(other.names, best.names) >= 0.5 || other.names.size * 2 >= best.names.size);

/** Folders (or files) of environments, some of them where there are many. */
function environmentRoots({ places, form }: Axis): readonly string[] {
  const roots = sample(places, 20).flatMap(({ folder, names }) =>
    sample(names, 10).map((name) => join(folder, form.file ? `${form.before}${name}${form.after}` : name)),
  );
  return sample(roots, 80);
}

/** Folders that hold services under a name of their own (`services/`), or one per region. */
async function inFolders(look: Look, roots: readonly string[]): Promise<ServicePattern[]> {
  const found: ServicePattern[] = [];
  let level: { below: string; folders: readonly string[] }[] = [{ below: '', folders: roots }];
  for (let depth = 0; depth < 3 && level.length > 0; depth += 1) {
    const next: typeof level = [];
    for (const { below, folders } of level) {
      const names = children(look.survey, folders);
      const containers = containersOf(look.survey, folders, names);
      const services = [...names].filter((name) => !containers.includes(name) && isServiceName(name));
      const regions = services.length > 0 && services.every(isRegion);
      if (regions) next.push({ below: `${below}/*`, folders: descend(look.survey, folders, services) });
      else found.push(...(await asServices(look, { below, folders, services })));
      found.push(...(await filesAsServices(look, { below, folders })));
      for (const name of containers)
        next.push({ below: `${below}/${name}`, folders: descend(look.survey, folders, [name]) });
    }
    level = next.slice(0, 12);
  }
  return found;
}

const isServiceName = (name: string) => {
  const { weight, rest } = environmentWord(name);
  return !isNoService(name) && !(weight > 0 && rest === '');
};

const children = (survey: Survey, folders: readonly string[]) =>
  new Set(folders.flatMap((path) => survey.folders.get(path)?.entered ?? []));

const descend = (survey: Survey, folders: readonly string[], names: readonly string[]) =>
  folders.flatMap((path) => names.map((name) => join(path, name))).filter((path) => survey.folders.has(path));

/** Folders by whose name or place one knows that services stand in them. */
function containersOf(survey: Survey, folders: readonly string[], names: ReadonlySet<string>): string[] {
  const known = [...names].filter((name) => SERVICE_FOLDERS.has(name.toLowerCase()));
  const [only] = names;
  const isLone =
    names.size === 1 &&
    only !== undefined &&
    descend(survey, folders, [only]).every((path) => {
      const folder = survey.folders.get(path);
      return folder?.files.length === 0 && folder.entered.filter(isServiceName).length > 1;
    });
  return isLone ? [only] : known;
}

interface Found {
  readonly below: string;
  readonly folders: readonly string[];
}

async function asServices(
  { survey, read }: Look,
  { below, folders, services }: Found & { services: readonly string[] },
): Promise<ServicePattern[]> {
  const held = services.filter((name) =>
    descend(survey, folders, [name]).some((path) => survey.namesBelow(path).size > 0),
  );
  const looked = sample(held, 4).flatMap((name) => descend(survey, folders, [name]).slice(0, 2));
  const files = looked.flatMap((path) => sample(filesBelow(survey, path), 5));
  const deploys = await some(files, (file) => deployed(read, file));
  return held.length > 0 && deploys ? [{ below: `${below}/{service}/**`, names: new Set(held) }] : [];
}

/** Some of the files in and below a folder. */
export function filesBelow(survey: Survey, path: string, depth = 0): string[] {
  const folder = survey.folders.get(path);
  if (!folder || depth > 3) return [];
  return [
    ...folder.files.map((name) => join(path, name)),
    ...folder.entered.slice(0, 5).flatMap((name) => filesBelow(survey, join(path, name), depth + 1)),
  ];
}

/** What is no YAML, or cannot be parsed, may be anything. */
async function deployed(read: ReadValues, file: string): Promise<boolean> {
  if (!/\.(?:ya?ml|json)$/i.test(file)) return true;
  const documents = await read(file);
  return documents.length === 0 || mayDeploy(documents);
}

async function filesAsServices({ survey, read }: Look, { below, folders }: Found): Promise<ServicePattern[]> {
  const endings = new Map<string, Map<string, string>>();
  for (const path of folders)
    for (const [ending, stems] of stemsByEnding(survey.folders.get(path)?.files ?? []))
      for (const stem of stems.filter(isServiceName)) {
        const files = endings.get(ending) ?? new Map<string, string>();
        endings.set(ending, files.set(stem, join(path, `${stem}${ending}`)));
      }
  const found: ServicePattern[] = [];
  for (const [ending, files] of endings) {
    const looked = sample([...files.values()], 6);
    const good = await Promise.all(looked.map((file) => deployed(read, file)));
    if (good.filter(Boolean).length * 2 < looked.length) continue;
    const { before, after, names } = withoutAffix([...files.keys()]);
    found.push({ below: `${below}/${before}{service}${after}${ending}`, names: new Set(names) });
  }
  return found;
}

/** `podinfo-values`, `redis-values`: the services are `podinfo` and `redis`. */
function withoutAffix(stems: readonly string[]): { before: string; after: string; names: readonly string[] } {
  const affix = AFFIXES.find(({ before, after }) =>
    stems.every(
      (stem) => stem.startsWith(before) && stem.endsWith(after) && stem.length > before.length + after.length,
    ),
  );
  if (!affix) return { before: '', after: '', names: stems };
  const { before, after } = affix;
  return { before, after, names: stems.map((stem) => stem.slice(before.length, stem.length - after.length)) };
}

/** Services that are items of a list, or keys of a map, in the file of an environment or in files of its folder. */
async function partsOf(
  { survey, read, axis }: Look,
  roots: readonly string[],
  known: ReadonlySet<string>,
): Promise<ServicePattern[]> {
  const files = axis.form.file ? [''] : sharedFiles(survey, roots);
  const found: ServicePattern[] = [];
  for (const file of files) {
    const merged = new Map<string, Collection>();
    for (const root of sample(roots, 6))
      for (const one of collectionsIn(await read(join(root, file)))) {
        const key = JSON.stringify([one.pointer, one.kind]);
        const before = merged.get(key);
        merged.set(key, before ? { ...before, names: [...before.names, ...one.names] } : one);
      }
    for (const one of merged.values()) {
      const names = new Set(one.names.filter(isCoordinate));
      if (names.size > 0 && isOfServices(one, names, known))
        found.push({ below: `${file === '' ? '' : `/${file}`}#${pointerOf(one)}`, names });
    }
  }
  return found;
}

/** Files that stand in most of the folders. */
function sharedFiles(survey: Survey, roots: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const root of roots)
    for (const file of survey.folders.get(root)?.files ?? [])
      if (/\.(?:ya?ml|json)$/i.test(endingOf(file) ?? '')) counts.set(file, (counts.get(file) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count * 2 >= roots.length)
    .map(([file]) => file)
    .slice(0, 8);
}

function isOfServices(one: Collection, names: ReadonlySet<string>, known: ReadonlySet<string>): boolean {
  if (known.size > 0) return [...names].filter((name) => known.has(name)).length * 2 >= names.size;
  const last = one.pointer.at(-1) ?? '';
  return (
    one.deployed &&
    (one.kind === 'list' || one.pointer.length === 0 || SERVICE_FOLDERS.has(last.toLowerCase()))
  );
}

const pointerOf = ({ pointer, kind }: Collection) =>
  `${pointer.map((key) => `/${key}`).join('')}${kind === 'list' ? '[name={service}]' : '/{service}'}`;
