/** Environments that are items of a list, or keys of a map, in files. */
import { isCoordinate } from '../../layout/pattern.ts';
import type { Axis } from '../survey/axes.ts';
import type { Candidate } from './candidate.ts';
import {
  at,
  type Collection,
  collectionsIn,
  isPlain,
  looksDeployed,
  type ReadValues,
} from '../survey/content.ts';
import { join, sample, type Survey } from '../survey/survey.ts';
import { endingOf, environmentWord } from '../survey/words.ts';

/** Files that are looked into. */
const FILES = 150;

interface Keyed {
  readonly folder: string;
  readonly ending: string;
  readonly stem: string;
  readonly where: Collection;
  readonly items: readonly unknown[];
}

/** One candidate a place in files of one folder: a file of each service where there are several, else the file itself. */
export async function keyedCandidates(
  { folders }: Survey,
  read: ReadValues,
  given: readonly string[] | undefined,
): Promise<Candidate[]> {
  const files = [...folders.values()].flatMap(({ path, files: names }) =>
    names.flatMap((name) => {
      const ending = endingOf(name) ?? '';
      const isRead = /\.(?:ya?ml|json)$/i.test(ending);
      return isRead ? [{ folder: path, ending, stem: name.slice(0, -ending.length) }] : [];
    }),
  );
  const groups = new Map<string, Keyed[]>();
  for (const file of sample(files, FILES)) {
    const documents = await read(join(file.folder, `${file.stem}${file.ending}`));
    const all = documents.length === 1 ? [...rootIn(documents[0]), ...collectionsIn(documents)] : [];
    for (const where of all.filter(({ names }) => areEnvironments(names, given))) {
      const key = JSON.stringify([file.folder, file.ending, where.pointer, where.kind]);
      const items = itemsOf(documents[0], where);
      groups.set(key, [...(groups.get(key) ?? []), { ...file, where, items }]);
    }
  }
  return [...groups.values()].map(toCandidate).filter((candidate) => candidate !== null);
}

/** The keys of a file, where each holds a map. */
function rootIn(root: unknown): Collection[] {
  if (!isPlain(root) || at(root, 'kind') !== undefined || !Object.values(root).every(isPlain)) return [];
  return [{ pointer: [], kind: 'map', names: Object.keys(root), deployed: false }];
}

function areEnvironments(names: readonly string[], given: readonly string[] | undefined): boolean {
  const is = (name: string) => {
    const { weight, rest } = environmentWord(name);
    return given ? given.includes(name) : weight >= 0.5 && rest === '';
  };
  return names.length > 1 && names.every(isCoordinate) && names.filter(is).length * 3 >= names.length * 2;
}

function itemsOf(root: unknown, { pointer }: Collection): unknown[] {
  const value = pointer.reduce(at, root);
  return Array.isArray(value) ? value : isPlain(value) ? Object.values(value) : [];
}

/** null where nothing says that something is deployed: databases of a program have a key an environment too. */
function toCandidate(files: readonly Keyed[]): Candidate | null {
  const [first] = files;
  const { folder = '', ending = '', stem = '', where } = first ?? {};
  const step = where?.kind === 'list' ? '[name={environment}]' : '/{environment}';
  const pointer = where === undefined || where.pointer.length === 0 ? '' : `/${where.pointer.join('/')}`;
  const names = new Set(files.flatMap((file) => file.where.names));
  const several = files.length > 1;
  const own = `${join(folder, `${several ? '{service}' : stem}${ending}`)}#${pointer}${step}`;
  const below = several ? null : servicesIn(first?.items ?? []);
  const services = several
    ? [{ pattern: own, names: new Set(files.map((file) => file.stem)) }]
    : below
      ? [{ pattern: `${own}${below.step}`, names: below.names }]
      : [];
  const items = files.flatMap((file) => file.items);
  if (below === null && items.filter(looksDeployed).length * 2 < items.length) return null;
  const axis: Axis = {
    prefix: folder === '' ? [] : folder.split('/'),
    form: { file: true, before: several ? '{service}' : stem, after: ending },
    places: [],
    names,
    evidence: 0.6,
    files: files.length,
  };
  return {
    axis,
    hasTenant: false,
    names,
    environment: several ? null : own,
    services,
    serviceNames: new Set(services.flatMap((one) => [...one.names])),
    score: 0.4,
    isConvincing: true,
    isGenerated: false,
    isOnly: false,
  };
}

/** What most items hold: a map of deployed things, a list of them, or such things themselves. */
function servicesIn(items: readonly unknown[]): { step: string; names: ReadonlySet<string> } | null {
  const found = items.flatMap((item) => collectionsIn([item]));
  const deployed = found.filter((one) => one.deployed && one.pointer.length === 1);
  const [best] = deployed;
  if (best) {
    const pointer = `/${best.pointer.join('/')}`;
    const alike = deployed.filter(
      ({ kind, pointer: [key] }) => kind === best.kind && key === best.pointer[0],
    );
    const names = new Set(alike.flatMap((one) => one.names).filter(isCoordinate));
    return { step: `${pointer}${best.kind === 'list' ? '[name={service}]' : '/{service}'}`, names };
  }
  const direct = items.filter(
    (item) => isPlain(item) && Object.values(item).length > 0 && Object.values(item).every(looksDeployed),
  );
  if (direct.length < items.length) return null;
  const names = direct.flatMap((item) => Object.keys(isPlain(item) ? item : {}));
  return { step: '/{service}', names: new Set(names.filter(isCoordinate)) };
}
