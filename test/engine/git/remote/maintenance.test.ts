import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createMaintenance } from '../../../../engine/git/remote/maintenance.ts';
import { readCommitGraph } from '../../../../engine/git/store/commit-graph.ts';
import { createRepo, temporaryFolder } from '../../../helpers/repositories/repo.ts';

const signal = new AbortController().signal;

describe('the maintenance of a mirror', () => {
  test('runs in an environment of ours, whatever is set around it', async () => {
    const repo = await createRepo();
    const [bin, directory, template] = [
      await temporaryFolder(),
      await temporaryFolder(),
      await temporaryFolder(),
    ];
    const dump = join(bin, 'environment');
    const git = `#!/bin/sh\nenv -0 >> '${dump}'\nPATH='${repo.env['PATH']}' exec git "$@"\n`;
    await writeFile(join(bin, 'git'), git, { mode: 0o755 });
    await mkdir(join(template, 'hooks'));
    await writeFile(join(template, 'hooks/pre-auto-gc'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    await repo.git('config', '--global', 'init.templateDir', template);
    await repo.git('config', '--global', 'core.hooksPath', join(template, 'hooks'));
    const env = {
      ...repo.env,
      PATH: `${bin}:${repo.env['PATH']}`,
      EDITOR: 'ed',
      GIT_TEMPLATE_DIR: template,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.bare',
      GIT_CONFIG_VALUE_0: 'false',
    };
    const maintenance = createMaintenance({ directory, env, timeoutMs: 600_000, signal });
    await maintenance.init('sha256');
    await maintenance.writeCommitGraph({ split: true });
    await maintenance.collectGarbage();
    const shells = new Set(['PWD', 'SHLVL', 'OLDPWD', '_']);
    const names = (await readFile(dump, 'utf8')).split('\0').map((pair) => pair.split('=', 1)[0] ?? '');
    expect([...new Set(names)].filter((name) => name !== '' && !shells.has(name)).sort()).toEqual([
      'GIT_ALLOW_PROTOCOL',
      'GIT_ATTR_NOSYSTEM',
      'GIT_CONFIG_NOSYSTEM',
      'GIT_DIR',
      'GIT_GRAFT_FILE',
      'GIT_NO_LAZY_FETCH',
      'GIT_NO_REPLACE_OBJECTS',
      // simple-git's own.
      'GIT_TEST_DISALLOW_ABBREVIATED_OPTIONS',
      'HOME',
      'LC_ALL',
      'PATH',
      'XDG_CONFIG_HOME',
    ]);
    expect(await readdir(directory)).not.toContain('hooks');
    const config = await readFile(join(directory, 'config'), 'utf8');
    expect(config).toMatch(/bare = true/);
    expect(config).toMatch(/objectformat = sha256/i);
  });

  test('writes Bloom filters of all commits', async () => {
    const repo = await createRepo({ bare: true });
    await repo.replay([{ files: { a: '1' } }, { files: { a: '2' } }]);
    const { gitDir: directory, env } = repo;
    const maintenance = createMaintenance({ directory, env, timeoutMs: 600_000, signal });
    await maintenance.writeCommitGraph({ split: false });
    expect(await readCommitGraph(directory)).toEqual({ commits: 2, changedPaths: true });
  });

  test('says why a mirror cannot be made', async () => {
    const repo = await createRepo();
    const directory = await temporaryFolder();
    await writeFile(join(directory, 'objects'), 'in the way');
    const maintenance = createMaintenance({ directory, env: repo.env, timeoutMs: 600_000, signal });
    await expect(maintenance.init('sha1')).rejects.toMatchObject({
      code: 'GIT_FAILED',
      message: expect.stringContaining('could not be made') as unknown,
    });
  });
});
