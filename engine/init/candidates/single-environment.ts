/** Where a tree is one cluster and names no environment: what holds the services stands for the environments there are. */
import type { Axis } from '../survey/axes.ts';
import { holdsWorkload, type ReadValues } from '../survey/content.ts';
import { filesBelow } from './services.ts';
import { FOLDER } from '../survey/sites.ts';
import { join, sample, some, type Survey } from '../survey/survey.ts';
import { environmentWord, SERVICE_FOLDERS } from '../survey/words.ts';

/**
 * The uppermost folder that is called `apps`, `services`, … and holds workloads of a cluster: where most of its folders hold folders of
 * workloads in their turn (`apps/NAMESPACE/SERVICE`), these are the environments; else the folder itself is the only one. Null where none is.
 */
export async function onlyEnvironment(survey: Survey, read: ReadValues): Promise<Axis | null> {
  const deploys = (place: string, files: readonly string[]) =>
    some(files.length > 0 ? files : sample(filesBelow(survey, place), 6), async (file) =>
      holdsWorkload(await read(file)),
    );
  for (const { path, entered, files } of survey.folders.values()) {
    const [name = '', ...above] = path.split('/').toReversed();
    if (!SERVICE_FOLDERS.has(name.toLowerCase()) || entered.length + files.length < 2) continue;
    // The environments have names after all.
    if (entered.filter((child) => environmentWord(child).weight >= 0.5).length > 1) continue;
    const children = sample([...entered, ...files], 8);
    let [workloads, groups] = [0, 0];
    for (const child of children) {
      const place = join(path, child);
      const folders = survey.folders.get(place)?.entered ?? [];
      if (await deploys(place, files.includes(child) ? [place] : [])) workloads += 1;
      if (await some(sample(folders, 3), (inner) => deploys(join(place, inner), []))) groups += 1;
    }
    if (workloads < 2) continue;
    const grouped =
      entered.length >= 3 && groups * 4 >= children.length * 3 && hasGroups(survey, path, entered);
    const folder = grouped ? path : above.toReversed().join('/');
    const names = grouped ? entered : [name];
    return {
      prefix: folder === '' ? [] : folder.split('/'),
      form: FOLDER,
      places: [{ folder, form: FOLDER, names }],
      names: new Set(names),
      evidence: 1,
      files: survey.filesBelow(path),
    };
  }
  return null;
}

/** Several services in a group on average, each under a name of its own. */
function hasGroups(survey: Survey, path: string, entered: readonly string[]): boolean {
  const inner = entered.flatMap((name) => survey.folders.get(join(path, name))?.entered ?? []);
  return inner.length >= 1.5 * entered.length && new Set(inner).size >= 0.8 * inner.length;
}
