import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findHome } from '../../../../engine/git/remote/home.ts';
import { createRepo, temporaryFolder } from '../../../helpers/repositories/repo.ts';

describe('where a repository is at home', () => {
  it('is the address among several that names it, as it is written there', () => {
    const homes = ['/srv/config', 'git@git.example.com:acme/config', 'git.example.com/acme/other'];
    expect(findHome(homes, 'https://GIT.example.com:443/acme/config.git')).toBe(homes[1]);
    expect(findHome(homes, 'ssh://git.example.com/acme/other')).toBe(homes[2]);
    expect(findHome(homes, 'https://git.example.com/acme/config?…')).toBeNull();
    expect(findHome([...homes, 'nothing'], 'nothing')).toBeNull();
    expect(findHome([], '/srv/config')).toBeNull();
  });

  it('is found wherever links lead, by each of its folders, and not by one beside it', async () => {
    const repo = await createRepo();
    await repo.commit({ a: '1\n' });
    const folder = await temporaryFolder();
    const [link, tree, other] = ['link', 'tree', 'other'].map((name) => join(folder, name));
    await symlink(repo.folder, link ?? '');
    await mkdir(other ?? '');
    await repo.git('worktree', 'add', '-q', tree ?? '');
    for (const name of [
      repo.folder,
      `${repo.folder}/`,
      repo.gitDir,
      link,
      tree,
      pathToFileURL(repo.folder).href,
    ]) {
      expect(findHome(['git.example.com/acme/config', name ?? ''], repo.folder)).toBe(name);
      expect(findHome([repo.folder], name ?? '')).toBe(repo.folder);
    }
    expect(findHome([other ?? '', folder], repo.folder)).toBeNull();
    expect(findHome([repo.folder], join(folder, 'absent'))).toBeNull();
  });
});
