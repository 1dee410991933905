/** `deployment …` as a pipeline calls it: exit codes, and the names of its JSON. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backtrail, exampleRepo } from '../../helpers/program/cli.ts';
import { EVIL, OBEYED } from '../../helpers/people/approvals.ts';

const GATEWAY = 'acme/production/api-gateway';

describe('deployment', () => {
  it('records, lists, shows and finds, and says by its exit code what came of it', async () => {
    const repo = await exampleRepo();
    const run = (...args: string[]) => backtrail(repo, ['deployment', ...args]);
    const json = async (...args: string[]) => {
      const { code, stdout } = await run(...args, '-o', 'json');
      return { code, value: z.looseObject({}).parse(JSON.parse(stdout)) };
    };
    const { code, value: made } = await json(
      'record',
      GATEWAY,
      '--status',
      'deployed',
      '--note',
      `by ${EVIL}`,
    );
    expect(code).toBe(0);
    expect(Object.keys(made)).toEqual(
      expect.arrayContaining(
        'id tenant environment service commit version images chart actor source status notes migration times rolledBackBy rollbackOf verified'.split(
          ' ',
        ),
      ),
    );
    expect(made).toMatchObject({ tenant: 'acme', environment: 'production', service: 'api-gateway' });
    const [image = ''] = z.array(z.string()).parse(made['images']);
    expect(await json('exists', '--image', image)).toMatchObject({ code: 0, value: { image, exists: true } });
    expect(await json('exists', '--image', 'none')).toMatchObject({ code: 3, value: { exists: false } });
    expect(await json('list', 'acme/production', '--limit', '1')).toEqual({
      code: 0,
      value: { deployments: [made] },
    });
    const shown = await run('show', String(made['id']).slice(-7));
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).not.toMatch(OBEYED);
    const history = await backtrail(repo, ['history', GATEWAY]);
    expect(history.stdout).toMatch(/deployed/);
    expect((await run('record', GATEWAY, '--status', 'superseded')).code).toBe(4);
    expect((await run('record', GATEWAY, '--status', 'gone')).code).toBe(2);
    expect((await run('show', '7Q2M9KX')).code).toBe(2);
    expect((await run('list', 'acme/nowhere')).code).toBe(2);
  });

  it('restores what was deployed, in a commit that names the record', async () => {
    const repo = await exampleRepo({ bare: true });
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await backtrail(repo, ['deployment', ...args, '-o', 'json']);
      return { code, stderr, value: z.looseObject({}).parse(stdout === '' ? {} : JSON.parse(stdout)) };
    };
    const made = await run('record', GATEWAY, '--status', 'deployed', '--commit', 'v1');
    const id = String(made.value['id']);
    const shown = await run('restore', id, '--dry-run');
    expect(shown).toMatchObject({ code: 0, value: { target: made.value['commit'], scope: GATEWAY } });
    const restored = await run('restore', id.slice(-8), '--reason', 'v2 answers 500', '--yes');
    expect(restored).toMatchObject({ code: 0, value: { status: 'completed', target: made.value['commit'] } });
    const message = await repo.git('log', '-1', '--format=%B', String(restored.value['commit']));
    expect(message).toContain(`Restore deployment ${id} (v1) of ${GATEWAY}\n`);
    expect(message).toContain('v2 answers 500');
    await run('record', GATEWAY, '--status', 'failed', '--id', id);
    const refused = await run('restore', id, '--yes');
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('"DEPLOYMENT_STATUS"')]);
  });
});
