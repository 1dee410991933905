/** Where a tree is one environment and does not say its name: the folder of the services stands for it. */
import type { Axis } from './axes.ts';
import { holdsWorkload, type ReadValues } from './content.ts';
import { filesBelow } from './services.ts';
import { join, sample, some, type Survey } from './survey.ts';
import { SERVICE_FOLDERS } from './words.ts';

/** The uppermost folder that is called `apps`, `services`, … and whose folders or files hold workloads of a cluster; null where none is. */
export async function onlyEnvironment(survey: Survey, read: ReadValues): Promise<Axis | null> {
  for (const { path, entered, files } of survey.folders.values()) {
    const [name = '', ...above] = path.split('/').toReversed();
    if (!SERVICE_FOLDERS.has(name.toLowerCase()) || entered.length + files.length < 2) continue;
    let workloads = 0;
    for (const child of sample([...entered, ...files], 6)) {
      const place = join(path, child);
      const held = files.includes(child) ? [place] : sample(filesBelow(survey, place), 6);
      if (await some(held, async (file) => holdsWorkload(await read(file)))) workloads += 1;
    }
    if (workloads < 2) continue;
    const folder = above.toReversed().join('/');
    return {
      prefix: above.toReversed(),
      form: { file: false, before: '', after: '' },
      places: [{ folder, names: [name] }],
      names: new Set([name]),
      evidence: 1,
    };
  }
  return null;
}
