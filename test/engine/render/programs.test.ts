import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { runs } from '../../helpers/run/proof.ts';
import { foldersLeft, programsOf } from '../../helpers/program/programs.ts';

const none = new Map<string, Uint8Array>();
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (output: Uint8Array | undefined) => new TextDecoder().decode(output);
const node = (script: string, files: ReadonlyMap<string, Uint8Array> = none) => ({
  argv: ['node', '-e', script],
  files,
});

/** A place outside for what a program says about where it runs. */
const notes = mkdtempSync(join(tmpdir(), 'backtrail-notes-'));
afterAll(() => rmSync(notes, { recursive: true, force: true }));

async function gone(pid: number): Promise<boolean> {
  for (let round = 0; round < 100; round += 1) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))) return true;
    await sleep(50);
  }
  return false;
}

describe('a program', () => {
  it('sees nothing of the environment but a path, a home of its own and closed doors', async () => {
    process.env['BACKTRAIL_TEST_TOKEN'] = 'secret';
    process.env['KUBECONFIG'] = '/home/jane/.kube/config';
    process.env['NO_PROXY'] = '*';
    try {
      const result = await programsOf().run(node('console.log(JSON.stringify(process.env))'));
      const env = new Map(Object.entries<unknown>(JSON.parse(text(result?.stdout))));
      const names =
        'GIT_ALLOW_PROTOCOL GIT_TERMINAL_PROMPT GOMEMLIMIT HOME HTTPS_PROXY HTTP_PROXY LC_ALL PATH TMPDIR TZ';
      // The folder it works in is named by what keeps it in there.
      expect(
        [...env.keys()]
          .filter((name) => name !== 'PWD')
          .sort()
          .join(' '),
      ).toBe(names);
      expect(env.get('HOME')).toMatch(/backtrail-render-\w+\/home$/);
    } finally {
      for (const name of ['BACKTRAIL_TEST_TOKEN', 'KUBECONFIG', 'NO_PROXY']) delete process.env[name];
    }
  });

  it('works in a private folder that holds its files and is gone afterwards', async () => {
    const script = `
      const { statSync, readdirSync, readFileSync } = require('node:fs');
      console.log(JSON.stringify({
        folder: process.cwd(), top: (statSync('..').mode & 0o777).toString(8), file: (statSync('a/b.txt').mode & 0o777).toString(8),
        names: readdirSync('.', { recursive: true }).sort(), text: readFileSync('a/b.txt', 'latin1'),
      }));`;
    const files = new Map([['a/b.txt', Uint8Array.from([0xff, 0x00, 0x41])]]);
    const result = await programsOf().run(node(script, files));
    const said: unknown = JSON.parse(text(result?.stdout));
    expect(said).toMatchObject({
      top: '700',
      file: '600',
      names: ['a', 'a/b.txt'],
      text: '\u00ff\u0000A',
    });
    expect(said).toHaveProperty('folder', expect.stringMatching(/backtrail-render-\w+\/tree$/));
    expect(foldersLeft()).toEqual([]);
  });

  it('names files by their place in the folder when it complains', async () => {
    const result = await programsOf().run(
      node('console.error(process.cwd() + "/a.yaml: bad"); process.exit(3)'),
    );
    expect(result).toMatchObject({ code: 3, stderr: 'a.yaml: bad\n' });
  });

  it('is not found in the folder of its files, whatever the path says', async () => {
    const files = new Map([['helm', bytes('#!/bin/sh\necho taken\n')]]);
    const result = await programsOf({ path: `.::bin:/nowhere` }).run({ argv: ['helm'], files });
    expect(result).toBeNull();
  });

  it('gets no shell and no file outside of the folder', async () => {
    const result = await programsOf().run({
      argv: ['node', '-p', 'process.argv.slice(1).join()', '$(id)', ';ls'],
      files: none,
    });
    expect(text(result?.stdout)).toBe('$(id),;ls\n');
    const outside = new Map([['../../escaped.txt', bytes('x')]]);
    await expect(programsOf().run(node('', outside))).rejects.toThrow(/unsafe path/);
  });
});

describe('a limit', () => {
  it('ends a program that takes too long, and what it started', async () => {
    const timeMs = runs(8000, 5000);
    const note = join(notes, 'child');
    const script = `
      const { spawn } = require('node:child_process');
      const child = spawn('node', ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
      require('node:fs').writeFileSync(${JSON.stringify(note)}, String(child.pid));
      setInterval(() => {}, 1000);`;
    await expect(programsOf({ limits: { timeMs }, sandbox: 'off' }).run(node(script))).rejects.toMatchObject({
      code: 'RENDER_FAILED',
      message: `node took longer than ${timeMs / 1000} s.`,
    });
    expect(await gone(Number(readFileSync(note, 'utf8')))).toBe(true);
  });

  it('does not wait for a helper that outlives the program with its pipes', async () => {
    const note = join(notes, 'helper');
    const script = `
      const { spawn } = require('node:child_process');
      const child = spawn('node', ['-e', 'setTimeout(() => {}, 600000)'], { stdio: 'inherit', detached: true });
      require('node:fs').writeFileSync(${JSON.stringify(note)}, String(child.pid));
      child.unref();
      console.log('done');`;
    const result = await programsOf({ sandbox: 'off' }).run(node(script));
    const pid = Number(readFileSync(note, 'utf8'));
    // It is there still.
    expect(process.kill(pid, 'SIGKILL')).toBe(true);
    expect(text(result?.stdout)).toBe('done\n');
  });

  it('ends a program that prints without end', async () => {
    const script = 'const s = "x".repeat(65536); (function f() { process.stdout.write(s, f); })();';
    await expect(
      programsOf({ limits: { outputBytes: 2 * 1024 * 1024 } }).run(node(script)),
    ).rejects.toMatchObject({ code: 'RENDER_FAILED', message: 'node printed more than 2 MB.' });
  });

  it.skipIf(process.platform !== 'linux')('ends a program that takes too much memory', async () => {
    const script = 'const all = []; setInterval(() => all.push(Buffer.alloc(16 << 20, 1)), 5);';
    const limits = { memoryBytes: 256 * 1024 * 1024 };
    await expect(programsOf({ limits }).run(node(script))).rejects.toMatchObject({
      code: 'RENDER_FAILED',
      message: 'node used more than 256 MB of memory.',
    });
  });

  it('is the end of it where the repository is closed: an error, and no folder', async () => {
    const stop = new AbortController();
    const running = programsOf({ signal: stop.signal }).run(node('setInterval(() => {}, 1000)'));
    setTimeout(() => stop.abort(), 300);
    await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await expect(programsOf({ signal: stop.signal }).run(node(''))).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    expect(foldersLeft()).toEqual([]);
  });
});

describe('folders', () => {
  it('of a process that was killed are removed once nobody can work in them', async () => {
    const [old, young] = ['old', 'young'].map((name) =>
      mkdtempSync(join(tmpdir(), `backtrail-render-${name}`)),
    );
    writeFileSync(join(old ?? '', 'secret'), 'x');
    const hours = new Date(Date.now() - 2 * 3_600_000);
    utimesSync(old ?? '', hours, hours);
    await programsOf().run(node(''));
    const left = foldersLeft();
    rmSync(young ?? '', { recursive: true });
    expect(
      left.filter((name) => /-(?:old|young)/.test(name)).map((name) => name.replace(/.{6}$/, '')),
    ).toEqual(['backtrail-render-young']);
  });
});

describe('permission', () => {
  const template = ['helm', 'template', '{service}', '{directory}'];

  it('is for nobody unless it is given', () => {
    expect(programsOf({ allowed: [] }).allows(template)).toBe(false);
    expect(programsOf({ allowed: ['jsonnet', 'helm lint'] }).allows(template)).toBe(false);
    expect(programsOf({ allowed: 'all' }).allows(template)).toBe(true);
  });

  it('is for a program with any arguments, or for one command exactly', () => {
    expect(programsOf({ allowed: ['helm'] }).allows([...template, '--post-renderer', 'sh'])).toBe(true);
    const exact = programsOf({ allowed: ['helm template {service} {directory}'] });
    expect(exact.allows(template)).toBe(true);
    expect(exact.allows([...template, '--post-renderer', 'sh'])).toBe(false);
    expect(exact.allows(['helm', 'template {service} {directory}'])).toBe(false);
    expect(exact.allows(['helm'])).toBe(false);
  });
});
