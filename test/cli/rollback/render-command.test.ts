import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openIn } from '../../../cli/commands/worker.ts';
import { executeInBatches } from '../../../workers/index.ts';
import { readEnvironment } from '../../../cli/environment.ts';
import { backtrail, refusalOf, runProcess, start } from '../../helpers/program/cli.ts';
import { confirmation, engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { foldersLeft } from '../../helpers/program/programs.ts';
import { createRepo, isolatedEnv, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { someOf } from '../../helpers/run/proof.ts';

const SCRIPT =
  'console.log(JSON.stringify({apiVersion:"v1",kind:"ConfigMap",metadata:{name:"m"},data:{v:require("fs").readFileSync(process.argv[1]+"/v","utf8")}}))';
const RUN = ['node', '-e', SCRIPT, '{directory}'];
const configWith = (delivery: object) =>
  `${JSON.stringify({ version: 1, layout: { service: ['apps/{environment}/{service}/**'] }, keep: [], delivery })}\n`;
const CONFIG = configWith({ output: 'out/{environment}/{service}.yaml', command: { run: RUN } });

async function charted(config = CONFIG) {
  const repo = await createRepo();
  await repo.commit({ '.backtrail/config.yaml': config, 'apps/prod/api/v': 'one' });
  await repo.commit({ 'apps/prod/api/v': 'two' });
  return repo;
}

const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const BACK = ['rollback', 'prod/api', '--yes', '--reason', 'Because'];

describe('a command that renders', () => {
  it('does not run because the repository says so', async () => {
    const repo = await charted();
    const before = await repo.git('rev-parse', 'main');
    const { code, message } = refusalOf(await backtrail(repo, BACK), { afterPlan: true });
    expect([code, message]).toEqual([
      'RENDER_FAILED',
      'The configuration in the repository wants to run node, which is not allowed here.',
    ]);
    expect(await repo.git('rev-parse', 'main')).toBe(before);
  });

  it('runs where the environment allows it, as a process of its own', async () => {
    const repo = await charted();
    const done = await runProcess(repo, BACK, {
      env: { BACKTRAIL_RENDER_COMMANDS: 'helm template x; node' },
    });
    expect(done.code).toBe(0);
    expect(await repo.git('show', 'main:out/prod/api.yaml')).toContain('  v: one');
  });

  it('runs where the configuration was named on the command line', async () => {
    const repo = await charted(configWith({ output: 'out/{environment}/{service}.yaml' }));
    const file = join(await temporaryFolder(), 'config.yaml');
    await writeFile(file, CONFIG);
    const done = await backtrail(repo, ['--config', file, ...BACK]);
    expect(done).toMatchObject({ code: 0 });
    expect(await repo.git('show', 'main:out/prod/api.yaml')).toContain('  v: one');
  });

  it('does not run in a worker because whoever asked for it let it run, and comes with no request', async () => {
    const repo = await charted();
    const outside = await engineOf(repo, { config: CONFIG, renderCommands: 'all' });
    const brought = await outside.plan({ scope: 'prod/api' });
    await expect(outside.requests.open({ ...confirmation(brought), planned: brought })).rejects.toMatchObject(
      { code: 'FORBIDDEN' },
    );
    const asking = await engineOf(repo, { renderCommands: 'all' });
    const planned = await asking.plan({ scope: 'prod/api' });
    const { id: requestId } = await asking.requests.open({ ...confirmation(planned), planned });
    const { env } = await isolatedEnv();
    const committer = { name: 'Backtrail', email: 'backtrail@localhost' };
    const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
    const worker = { env, cacheFolder: await temporaryFolder(), committer, clock };
    const job = {
      requestId,
      repo: repo.folder,
      last: false,
      onStep: () => Promise.resolve(),
      signal: new AbortController().signal,
    };
    await expect(executeInBatches(openIn(worker))(job)).rejects.toMatchObject({ code: 'RENDER_FAILED' });
    expect(await asking.requests.retry({ id: requestId, actor: JANE })).toMatchObject({
      status: 'executing',
    });
    const allowed = await executeInBatches(openIn({ ...worker, renderCommands: [RUN[0] ?? ''] }))(job);
    expect(allowed.status).toBe('completed');
    expect(foldersLeft()).toEqual([]);
  });

  it.each(
    someOf(
      [
        ['plan', 'SIGINT', 130],
        ['doctor', 'SIGTERM', 143],
      ] as const,
      1,
    ),
  )('ends with its folder where %s is ended by %s', async (command, signal, code) => {
    const folder = await temporaryFolder();
    const [pidFile, temporary] = [join(folder, 'pid'), await temporaryFolder()];
    const program = `require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1e6)`;
    const repo = await charted(
      configWith({ output: 'out/{environment}/{service}.yaml', command: { run: ['node', '-e', program] } }),
    );
    const { child, ended } = start(repo, command === 'plan' ? ['plan', 'prod/api'] : ['doctor'], {
      env: { BACKTRAIL_RENDER_COMMANDS: 'node', TMPDIR: temporary, BACKTRAIL_RENDER_SANDBOX: 'off' },
    });
    const pid = async () => Number(await readFile(pidFile, 'utf8').catch(() => ''));
    await expect.poll(pid).toBeGreaterThan(0);
    child.kill(signal);
    expect(await ended).toMatchObject({ code, stderr: expect.stringContaining('INTERRUPTED') });
    expect((await readdir(temporary)).filter((name) => name.startsWith('backtrail'))).toEqual([]);
    const running = await pid();
    await expect.poll(() => isRunning(running)).toBe(false);
  });

  it('is allowed by a list in the environment, nothing by default', () => {
    const before = process.env['BACKTRAIL_RENDER_COMMANDS'];
    try {
      delete process.env['BACKTRAIL_RENDER_COMMANDS'];
      expect(readEnvironment().renderCommands).toEqual([]);
      process.env['BACKTRAIL_RENDER_COMMANDS'] = ' helm  template {directory} ;\njsonnet;; ';
      expect(readEnvironment().renderCommands).toEqual(['helm template {directory}', 'jsonnet']);
    } finally {
      if (before === undefined) delete process.env['BACKTRAIL_RENDER_COMMANDS'];
      else process.env['BACKTRAIL_RENDER_COMMANDS'] = before;
    }
  });

  it.each([
    ['a path', ['./render.sh']],
    ['a path from the root', ['/bin/sh', '-c', 'id']],
    ['an option', ['-e']],
    ['nothing', []],
    ['a line, which a shell would have to read', 'helm template'],
  ])('is refused in the configuration when it is %s', async (_, run) => {
    const repo = await charted(configWith({ output: 'out/{environment}/{service}.yaml', command: { run } }));
    expect(refusalOf(await backtrail(repo, BACK)).code).toBe('CONFIG_INVALID');
  });
});
