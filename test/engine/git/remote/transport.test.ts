import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createTransport } from '../../../../engine/git/remote/transport.ts';
import { createRepo } from '../../../helpers/repositories/repo.ts';

async function open() {
  const repo = await createRepo({ bare: true });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const transport = createTransport({
    directory: repo.gitDir,
    env: repo.env,
    timeoutMs: 600_000,
    signal: stop.signal,
  });
  /** git runs a script as it would run ssh or a credential helper. */
  const runScript = (script: string, options = {}) =>
    transport.git(['-c', `alias.script=!${script}`, 'script'], options);
  return { runScript, stop };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('git over the network', () => {
  test('gives exit code and output, also what a failure prints', async () => {
    const { runScript } = await open();
    expect(await runScript('echo said; echo why >&2; exit 3')).toEqual({
      code: 3,
      stdout: 'said\n',
      stderr: 'why\n',
    });
  });

  test('answers when git has exited, though a helper keeps its pipes open', async () => {
    const { runScript } = await open();
    const answer = await runScript('sleep 600 & echo $!');
    const pid = Number(answer.stdout);
    expect(answer.code).toBe(0);
    // A credential cache or an ssh master is the user's: it is left alone.
    expect(isAlive(pid)).toBe(true);
    process.kill(pid);
  });

  test('ends with all of its helpers when the repository is closed', async () => {
    const { runScript, stop } = await open();
    const helper = new EventTarget();
    let pid = 0;
    const onError = (chunk: Uint8Array) => {
      pid = Number(Buffer.from(chunk).toString());
      helper.dispatchEvent(new Event('started'));
    };
    const started = once(helper, 'started');
    const refused = runScript('sleep 600 & echo $! >&2; wait', { onError }).catch((error: unknown) => error);
    await started;
    stop.abort();
    expect(await refused).toMatchObject({ code: 'GIT_FAILED' });
    await expect.poll(() => isAlive(pid), { timeout: 30_000 }).toBe(false);
    await expect(runScript('true')).rejects.toMatchObject({ code: 'GIT_FAILED' });
  });

  test('gives a silent remote up, and keeps only the end of endless output', async () => {
    const { runScript } = await open();
    const silent = runScript('sleep 600', { silence: { ms: 100 } });
    await expect(silent).rejects.toMatchObject({ code: 'GIT_TIMEOUT' });
    const { stderr } = await runScript('yes line | head -c 3000000 >&2; echo end >&2');
    expect(stderr.length).toBeLessThanOrEqual(1024 * 1024);
    expect(stderr.endsWith('end\n')).toBe(true);
  });
});
