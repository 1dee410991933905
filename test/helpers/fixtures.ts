import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { buildFixturesRepo, type Fixtures } from '../../scripts/build-fixtures-repo.ts';

/** The example repository with its history, in a folder of its own that goes away after the tests of the file. */
export async function fixtures(options: { bare?: boolean } = {}): Promise<Fixtures> {
  const parent = await mkdtemp(join(tmpdir(), 'backtrail-fixtures-'));
  made.push(parent);
  return buildFixturesRepo(join(parent, 'repository'), options);
}

/** The same, when only the folder matters. */
export async function fixturesRepo(): Promise<string> {
  return (await fixtures()).directory;
}

const made: string[] = [];

afterAll(async () => {
  await Promise.all(made.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});
