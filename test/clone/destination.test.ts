import { expect, it } from 'vitest';
import { backtrail, exampleRepo, jsonOf, stateOf } from '../helpers/program/cli.ts';
import { cloneRepo, createRepo } from '../helpers/repositories/repo.ts';
import { isProof } from '../helpers/run/proof.ts';
import { hasScript, onTerminal } from '../helpers/program/terminal.ts';
import { BACK, SERVICE } from './clone.ts';
import { z } from 'zod';

const shape = z.looseObject({
  destination: z.object({ remote: z.string().nullable(), address: z.string(), branch: z.string() }),
});

it('plan and result name the remote, its address and the branch there, whatever the branch is called here', async () => {
  const upstream = await exampleRepo({ bare: true });
  const clone = await cloneRepo(upstream);
  await clone.git('checkout', '-q', '-b', 'mine', '--track', 'origin/main');
  const destination = { remote: 'origin', address: upstream.folder, branch: 'main' };
  const plan = await backtrail(clone, ['plan', SERVICE, '-o', 'json']);
  expect(jsonOf(plan, shape).destination).toEqual(destination);
  expect((await backtrail(clone, ['plan', SERVICE])).stdout).toContain(
    `published to main at origin (${upstream.folder})`,
  );
  const done = await backtrail(clone, BACK);
  expect(done.stdout).toContain(`  branch    main at origin (${upstream.folder})`);
  const again = await backtrail(clone, [...BACK, '-o', 'json']);
  expect(jsonOf(again, shape).destination).toEqual(destination);
});

it('names the repository itself where it is published there, and the address where it is given by that', async () => {
  const repo = await exampleRepo();
  const here = await backtrail(repo, ['plan', SERVICE, '-o', 'json']);
  expect(jsonOf(here, shape).destination).toEqual({ remote: null, address: repo.folder, branch: 'main' });
  const address = `file://${repo.folder}`;
  const there = await backtrail(repo, ['plan', SERVICE, '-o', 'json', '--repo', address]);
  expect(jsonOf(there, shape).destination).toEqual({ remote: null, address, branch: 'main' });
});

it('shows no login of an address', async () => {
  const clone = await cloneRepo(await exampleRepo({ bare: true }));
  const address = 'https://jane:s3cret@git.example.invalid/config.git?token=t0ken';
  await clone.git('remote', 'set-url', '--push', 'origin', address);
  const plan = await backtrail(clone, ['plan', SERVICE]);
  expect(plan.stdout).toContain('main at origin (https://git.example.invalid/config.git?…)');
  expect(plan.stdout + plan.stderr).not.toMatch(/s3cret|t0ken|jane/);
});

it.runIf(isProof && hasScript)(
  'init (on a terminal, needs util-linux script) says where it publishes, and asks before it changes the clone',
  async () => {
    const upstream = await createRepo({ bare: true });
    const clone = await cloneRepo(upstream);
    const tree = ['dev', 'prod'].flatMap((at) =>
      ['api', 'web'].map((name) => [`envs/${at}/${name}/values.yaml`, `image: { tag: v1 }\nat: ${at}\n`]),
    );
    await clone.commit(Object.fromEntries(tree));
    await clone.git('push', '-q', '-u', 'origin', 'main');
    const config = await clone.git('config', '--local', '--list');
    const refused = await onTerminal(clone, ['init'], [['Commit this', 'n']]);
    expect(refused.seen).toContain('It is published to main at origin');
    const before = await stateOf(clone);
    expect(before).not.toContain('Backtrail');
    const done = await onTerminal(
      clone,
      ['init'],
      [
        ['Commit this', 'y'],
        ['Have', 'n'],
      ],
    );
    expect(done).toMatchObject({
      code: 0,
      seen: expect.stringMatching(/Committed and published.* to .*main at origin/s),
    });
    expect(await upstream.git('show', 'main:.backtrail/config.yaml')).toContain('version: 1');
    expect(await clone.git('config', '--local', '--list')).toBe(config);
  },
);
