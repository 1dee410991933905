import { describe, expect, it } from 'vitest';
import { runProcess, stateOf } from '../helpers/program/cli.ts';
import { createRepo, isolatedEnv } from '../helpers/repositories/repo.ts';
import { isProof } from '../helpers/run/proof.ts';

const values = (tag: string) => `image:\n  repository: registry.example.com/api\n  tag: ${tag}\n`;

describe('first-rollback', () => {
  it('says what it needs where no repository is named', async () => {
    const { env } = await isolatedEnv();
    const done = await runProcess({ folder: '/', env }, [], { script: 'first-rollback', cwd: '/' });
    expect(done).toMatchObject({ code: 2, stdout: '' });
    expect(done.stderr).toContain('BACKTRAIL_REAL_REPOS=FOLDER');
  });

  it.runIf(isProof)(
    'runs the five lines on a copy, with a service that has something to go back to',
    async () => {
      const repo = await createRepo();
      await repo.replay([
        {
          files: {
            'envs/production/api/values.yaml': values('v1'),
            'envs/production/web/values.yaml': values('v1'),
          },
        },
        { files: { 'envs/production/web/values.yaml': values('v2') } },
      ]);
      const state = await stateOf(repo);
      const done = await runProcess(repo, [repo.folder], { script: 'first-rollback' });
      expect(done.code).toBe(0);
      expect(done.stdout.match(/^\$ .*$/gm)).toEqual([
        '$ backtrail --repo repo init --yes',
        '$ backtrail --repo repo environments',
        '$ backtrail --repo repo history production/web',
        '$ backtrail --repo repo plan production/web',
        '$ backtrail --repo repo rollback production/web --yes --reason "A first rollback, to see what it does"',
      ]);
      expect(done.stdout).toContain('Service: web');
      expect(await stateOf(repo)).toBe(state);
    },
  );

  it.runIf(isProof)('fails where a line fails', async () => {
    const repo = await createRepo();
    await repo.commit({ 'lib/a.yaml': 'a: 1\n' });
    const done = await runProcess(repo, [repo.folder], { script: 'first-rollback' });
    expect(done.code).toBe(1);
    expect(done.stderr).toContain('backtrail init ended with exit code 3.');
  });
});
