import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compiled } from '../../helpers/program/compiled.ts';
import { programsOf } from '../../helpers/program/programs.ts';

const works = spawnSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', '--', '/bin/true']).status === 0;
const text = (output: Uint8Array | undefined) => new TextDecoder().decode(output);
const node = (script: string) => ({
  argv: ['node', '-e', script],
  files: new Map([['a.yaml', new TextEncoder().encode('a: 1\n')]]),
});
const outside = mkdtempSync(join(tmpdir(), 'backtrail-outside-'));
afterAll(() => rmSync(outside, { recursive: true, force: true }));

/** What the script prints, or the code of the error that it met. */
const attempt = (script: string) =>
  node(`try { console.log(${script}) } catch (error) { console.log(error.code ?? error.message) }`);
const said = async (script: string) => text((await programsOf().run(attempt(script)))?.stdout).trim();

describe.skipIf(!works)('a confined program (skipped where bubblewrap does not work)', () => {
  it('says that it is confined', async () => {
    expect(await programsOf().confinement()).toMatchObject({ confined: true });
    expect(await programsOf({ sandbox: 'off' }).confinement()).toMatchObject({ confined: false });
  });

  it('sees its files, and neither the home of its user nor what lies elsewhere', async () => {
    writeFileSync(join(outside, 'secret'), 'hunter2');
    expect(await said(`require('fs').readFileSync('a.yaml', 'utf8').trim()`)).toBe('a: 1');
    for (const path of [
      join(homedir(), '.ssh'),
      join(outside, 'secret'),
      '/etc/shadow',
      resolve('package.json'),
      '/root/.bashrc',
    ])
      expect(await said(`require('fs').statSync(${JSON.stringify(path)}).size`)).toBe('ENOENT');
  });

  it('writes nothing but in a temporary folder of its own', async () => {
    expect(await said(`require('fs').writeFileSync('a.yaml', 'x')`)).toMatch(/EROFS|EACCES|EPERM/);
    expect(await said(`require('fs').writeFileSync('/usr/x', 'x')`)).toMatch(/EROFS|EACCES|EPERM/);
    expect(await said(`require('fs').writeFileSync(process.env.HOME + '/x', 'x') ?? 'done'`)).toBe('done');
    await said(
      `require('fs').mkdirSync(${JSON.stringify(outside)}, { recursive: true }) ?? require('fs').writeFileSync(${JSON.stringify(join(outside, 'new'))}, 'x')`,
    );
    expect(readdirSync(outside)).toEqual(['secret']);
  });

  it('reaches nobody, not even on this machine', async () => {
    let met = 0;
    const server = createServer(() => (met += 1));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const script = `require('net').connect(${port}, '127.0.0.1').on('error', (error) => console.log(error.code)).on('connect', () => { console.log('connected'); process.exit() })`;
    expect(text((await programsOf().run(node(script)))?.stdout)).toMatch(/^E/);
    server.close();
    expect(met).toBe(0);
  });

  it('is ended where it forks for ever, and nothing of it is left', async () => {
    const script = `const { spawn } = require('child_process'); const go = () => { spawn('sleep', ['97531']); setTimeout(go, 1) }; go()`;
    await expect(programsOf({ limits: { processes: 20 } }).run(node(script))).rejects.toMatchObject({
      code: 'RENDER_FAILED',
      message: 'node started more than 20 processes.',
    });
    await expect.poll(() => spawnSync('pgrep', ['-f', 'sleep 97531']).status).toBe(1);
  });

  it('does not outlive whoever started it, killed by whatever signal', async () => {
    const programs = compiled('engine/render/programs/index.ts');
    const script = `
      import { createPrograms } from ${JSON.stringify(programs)};
      const programs = createPrograms({ path: process.env.PATH, allowed: 'all', signal: new AbortController().signal });
      setTimeout(() => console.log('started'), 1500);
      await programs.run({ argv: ['sleep', '86421'], files: new Map() });`;
    const file = join(outside, 'parent.mjs');
    writeFileSync(file, script);
    const parent = spawn(process.execPath, [file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await expect.poll(() => spawnSync('pgrep', ['-f', '^sleep 86421$']).status).toBe(0);
    parent.kill('SIGKILL');
    await expect.poll(() => spawnSync('pgrep', ['-f', '^sleep 86421$']).status).toBe(1);
    rmSync(file);
  });
});

describe('programs together', () => {
  it('have one limit of time', async () => {
    const programs = programsOf({ limits: { totalMs: 1 } }).withSharedTimeLimit();
    await new Promise((done) => setTimeout(done, 5));
    await expect(programs.run(node('1'))).rejects.toMatchObject({
      code: 'RENDER_FAILED',
      message: 'The renderings together took longer than 0.001 s.',
    });
  });

  it('are not run at all where they have to be confined and cannot be', async () => {
    const programs = programsOf({ sandbox: 'require', path: outside });
    await expect(programs.run(node('1'))).rejects.toMatchObject({ code: 'RENDER_FAILED' });
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('hunter2');
  });
});
