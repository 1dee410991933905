import { expect, test } from 'vitest';
import { serveGit } from '../servers/git-http.ts';
import { cloneRepo, createRepo, temporaryFolder } from './repo.ts';

test('a repository built by replay can be cloned, and pushed to over http', async () => {
  const root = await temporaryFolder();
  const bare = await createRepo({ bare: true, folder: `${root}/x.git` });
  const ids = await bare.replay([
    { files: { 'a.txt': 'one\n' } },
    { files: { 'b.txt': 'two\n', 'a.txt': null } },
  ]);
  expect(ids).toHaveLength(2);
  const clone = await cloneRepo(bare);
  const server = await serveGit({ root, env: bare.env });
  const commit = await clone.commit({ 'c.txt': 'three\n' }, { message: 'Third\n' });
  await clone.git('push', '--quiet', `${server.url}/x.git`, 'main');
  await server.close();
  expect(await bare.git('rev-parse', 'main')).toBe(commit);
  expect(await bare.git('ls-tree', '--name-only', 'main')).toBe('b.txt\nc.txt');
});
