/** What the content of files says about names that stand in the names of files. */
import type { Axis } from '../survey/axes.ts';
import { at, collectionsIn, isPlain, type ReadValues } from '../survey/content.ts';
import { namesService, type Site } from '../survey/sites.ts';
import { join, likeness, overlap, sample, type Survey } from '../survey/survey.ts';
import { environmentWord } from '../survey/words.ts';

interface Look {
  readonly survey: Survey;
  readonly read: ReadValues;
}

const LOOKED_AT = 60;

/**
 * The axis without names whose files hold something else than most of their neighbours do; null where the names are those of kinds of
 * manifests (`deployment.yaml`), which recur as environments do.
 */
export async function lookInside({ survey, read }: Look, axis: Axis): Promise<Axis | null> {
  const { form, places } = axis;
  if (await areKinds(read, axis)) return null;
  const [place, ...others] = places;
  if (place === undefined || others.length > 0 || place.names.length > LOOKED_AT) return axis;
  if (!form.file) return form.before === '' && form.after === '' ? withoutUnlike(survey, axis, place) : axis;
  if (namesService(form) || !/\.(?:ya?ml|json)$/i.test(form.after)) return axis;
  const listed = await listAlike(read, place);
  return withoutOtherKeys(read, { ...axis, evidence: axis.evidence + (listed ? 0.3 : 0) }, place);
}

/** Do these files list named, deployed things, some of them the same? Then each of them is an environment. */
async function listAlike(read: ReadValues, { folder, form, names }: Site): Promise<boolean> {
  const lists: ReadonlySet<string>[] = [];
  for (const name of sample(names, 4)) {
    const collections = collectionsIn(await read(join(folder, `${form.before}${name}${form.after}`)));
    const named = collections.filter(({ kind, deployed }) => kind === 'list' && deployed);
    lists.push(new Set(named.flatMap((list) => list.names)));
  }
  const [one = new Set<string>(), ...others] = lists.filter(({ size }) => size > 0);
  return (
    others.length > 0 && others.length + 1 === lists.length && others.some((other) => overlap(one, other) > 0)
  );
}

/** Folders beside environments that hold something else; none where environments themselves are not alike. */
function withoutUnlike(survey: Survey, axis: Axis, place: Site): Axis {
  const below = new Map(place.names.map((name) => [name, survey.namesBelow(join(place.folder, name))]));
  const childrenOf = (name: string) => {
    const { entered = [], files = [] } = survey.folders.get(join(place.folder, name)) ?? {};
    return new Set([...entered, ...files]);
  };
  const sure = place.names.filter((name) => environmentWord(name).weight > 0);
  const [first, ...more] = sure.map((name) => below.get(name) ?? new Set<string>());
  if (first === undefined || more.length === 0 || more.some((other) => likeness(first, other) < 0.5))
    return axis;
  const known = new Set(sure.flatMap((name) => [...childrenOf(name)]));
  const isLike = (name: string) =>
    sure.includes(name) ||
    (likeness(below.get(name) ?? new Set(), first) >= 0.3 && overlap(childrenOf(name), known) >= 0.5);
  const names = place.names.filter(isLike);
  return { ...axis, names: new Set(names), places: [{ ...place, names }] };
}

async function withoutOtherKeys(read: ReadValues, axis: Axis, place: Site): Promise<Axis> {
  const { form } = axis;
  if (place.names.length < 3) return axis;
  const keys = new Map<string, ReadonlySet<string>>();
  for (const name of place.names) {
    const documents = await read(join(place.folder, `${form.before}${name}${form.after}`));
    const [value] = documents.filter((document) => document !== null);
    if (isPlain(value)) keys.set(name, new Set(Object.keys(value)));
  }
  const common = commonKeys([...keys.values()]);
  const isLike = (name: string) => [...(keys.get(name) ?? common)].some((key) => common.has(key));
  const names = place.names.filter(isLike);
  if (common.size === 0 || names.length === place.names.length || names.length * 2 < place.names.length)
    return axis;
  return { ...axis, names: new Set(names), places: [{ ...place, names }] };
}

/** Keys that more than half of them have. */
function commonKeys(all: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const keys of all) for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return new Set([...counts].filter(([, count]) => count * 2 > all.length).map(([key]) => key));
}

async function areKinds(read: ReadValues, { form, places }: Axis): Promise<boolean> {
  if (!form.file || namesService(form)) return false;
  const files = sample(places, 6).flatMap(({ folder, names }) =>
    sample(names, 4).map((name) => ({ folder, name })),
  );
  let [kinds, looked] = [0, 0];
  for (const { folder, name } of sample(files, 12)) {
    const documents = await read(join(folder, `${form.before}${name}${form.after}`));
    const plain = name.toLowerCase().replace(/[-_.]/g, '');
    const kindsHere = documents
      .map((document) => at(document, 'kind'))
      .filter((kind) => typeof kind === 'string');
    looked += 1;
    if (kindsHere.some((kind) => plain === kind.toLowerCase() || plain === `${kind.toLowerCase()}s`))
      kinds += 1;
  }
  return kinds * 3 > looked;
}
