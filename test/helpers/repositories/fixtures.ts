import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { buildFixturesRepo, type Fixtures } from '../../../scripts/build-fixtures-repo.ts';
import { copyFolder, temporaryFolder } from './repo.ts';

const built = new Map<boolean, Promise<Fixtures>>();

/** A copy of the example repository with its history, built once a worker, that goes away after the tests of the file. */
export async function fixtures({ bare = false }: { bare?: boolean } = {}): Promise<Fixtures> {
  const template = built.get(bare) ?? build(bare);
  built.set(bare, template);
  const { directory, ...rest } = await template;
  const copy = join(await temporaryFolder('backtrail-fixtures-'), bare ? 'repo' : 'config');
  await copyFolder(directory, copy);
  return { ...rest, directory: copy };
}

/** The same, when only the folder matters. */
export async function fixturesRepo(): Promise<string> {
  return (await fixtures()).directory;
}

/** Outlives the file: it goes with the folder of the run. */
async function build(bare: boolean): Promise<Fixtures> {
  const parent = await mkdtemp(join(process.env['BACKTRAIL_TEST_RUN'] ?? '', 'template-'));
  return buildFixturesRepo(join(parent, 'repository'), { bare });
}
