/** Signs as git does where it makes a commit itself: `sign_buffer_ssh` of its gpg-interface.c. */
import { rmSync } from 'node:fs';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { BacktrailError } from '../../model/index.ts';
import type { Runner } from '../process/runner.ts';
import { keepAlive, notStarted, start, terminate } from '../process/spawn.ts';
import { type SigningKey, setting, signingFailed } from './signing.ts';

export interface Signer {
  /** The signature, as armoured text, of what a commit says. @throws SIGNING_FAILED, GIT_MISSING without the program, GIT_TIMEOUT */
  sign(bytes: Uint8Array): Promise<string>;
}

/** One at a time, until the repository is closed. */
export function createSigner(runner: Runner, signing: SigningKey): Signer {
  let shell: Promise<Shell> | null = null;
  let count = 0;
  let turn: Promise<unknown> = Promise.resolve();
  const signOne = async (bytes: Uint8Array) => {
    shell ??= openShell(runner, signing);
    try {
      count += 1;
      return await signBy(await shell, { runner, program: signing.program, name: String(count), bytes });
    } catch (error) {
      // It may have ended: the next one has a new one.
      void shell.then((opened) => opened.end()).catch(() => undefined);
      shell = null;
      throw error;
    }
  };
  return {
    sign(bytes) {
      const signed = turn.then(() => signOne(bytes));
      turn = signed.catch(() => undefined);
      return signed;
    },
  };
}

interface Shell {
  readonly folder: string;
  /** The exit code of the program for this file of the folder; null where the shell has ended. */
  ask(name: string): Promise<number | null>;
  /** Why it has ended, where that is known. */
  failure(): Error | null;
  end(): void;
}

/** A fork of this process costs the more the more memory it has: a small shell that stays starts the program for each commit. */
const LOOP = 'while IFS= read -r file; do "$@" "$file" >/dev/null 2>"$file.err" </dev/null; echo "$?"; done';

async function openShell(runner: Runner, { program, key }: SigningKey): Promise<Shell> {
  const folder = await mkdtemp(join(tmpdir(), 'backtrail-sign-'));
  const literal = literalKey(key);
  const file = literal === null ? await keyFile(runner, key) : join(folder, 'key.pub');
  if (literal !== null) await writeFile(file, `${literal}\n`, { mode: 0o600 });
  // An agent has the private key of one that is written out.
  const words = [program, '-Y', 'sign', '-n', 'git', '-f', file, ...(literal === null ? [] : ['-U'])];
  const child = start({ program: 'sh', args: ['-c', LOOP, 'sh', ...words], cwd: folder, env: runner.env });
  keepAlive(child, false);
  let waiting: ((line: string | null) => void) | null = null;
  let failure: Error | null = null;
  let isClosed = false;
  // At once: this process may end before the shell does.
  const clear = () => rmSync(folder, { recursive: true, force: true });
  const stop = () => {
    terminate(child);
    clear();
  };
  const closed = () => {
    isClosed = true;
    runner.signal.removeEventListener('abort', stop);
    clear();
    waiting?.(null);
  };
  child.on('error', (error) => {
    failure ??= notStarted(error);
    closed();
  });
  child.on('close', closed);
  runner.signal.addEventListener('abort', stop, { once: true });
  createInterface({ input: child.stdout }).on('line', (line) => waiting?.(line));
  return {
    folder,
    failure: () => failure,
    end: () => {
      child.stdin.end();
      clear();
    },
    async ask(name) {
      if (isClosed || runner.signal.aborted) return null;
      keepAlive(child, true);
      const timer = setTimeout(() => {
        failure ??= new BacktrailError(
          'GIT_TIMEOUT',
          `${program} took longer than ${runner.timeoutMs / 1000} s to sign a commit.`,
        );
        terminate(child);
      }, runner.timeoutMs);
      const line = await new Promise<string | null>((done) => {
        waiting = done;
        child.stdin.write(`${name}\n`);
      });
      clearTimeout(timer);
      waiting = null;
      keepAlive(child, false);
      return line === null ? null : Number(line);
    },
  };
}

interface Task {
  readonly runner: Runner;
  readonly program: string;
  /** Of a file, which nothing else has. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

async function signBy(shell: Shell, { runner, program, name, bytes }: Task): Promise<string> {
  const file = join(shell.folder, name);
  await writeFile(file, bytes, { mode: 0o600 });
  const code = await shell.ask(name);
  if (code === null) throw shell.failure() ?? ended(runner);
  const [signature, said] = await Promise.all(
    [`${file}.sig`, `${file}.err`].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  await Promise.all([file, `${file}.sig`, `${file}.err`].map((path) => rm(path, { force: true })));
  const text = (signature ?? '').replaceAll('\r\n', '\n');
  if (code === 0 && text.startsWith('-----BEGIN SSH SIGNATURE-----\n')) return text;
  // As a shell says it.
  if (code === 126 || code === 127)
    throw new BacktrailError('GIT_MISSING', `No commit can be signed: ${program} cannot be run.`, {
      hint: 'Install OpenSSH, so that ssh-keygen is on PATH.',
    });
  throw signingFailed('commit', code === 0 ? `${program} made no SSH signature` : (said ?? ''), code);
}

const ended = ({ signal }: Runner) =>
  signal.aborted
    ? new BacktrailError('GIT_FAILED', 'Signing was stopped: the repository was closed.')
    : new BacktrailError('SIGNING_FAILED', 'The commit could not be signed: the program was ended.');

/** Is there a key to sign with? Asked before anything is written. @throws SIGNING_FAILED */
export async function requireKey(runner: Runner, signing: SigningKey | null): Promise<void> {
  if (signing === null)
    throw new BacktrailError(
      'SIGNING_FAILED',
      'Commits are to be signed here (`commit.sign`, `--sign`), and git knows no SSH key to sign them with.',
      { hint: HINT },
    );
  if (literalKey(signing.key) !== null) return;
  const file = await keyFile(runner, signing.key);
  const isThere = (name: string) =>
    access(name).then(
      () => true,
      () => false,
    );
  // With the public half alone, an agent has the other one.
  if ((await isThere(file)) || (await isThere(`${file}.pub`))) return;
  throw new BacktrailError(
    'SIGNING_FAILED',
    `Commits are to be signed here (\`commit.sign\`, \`--sign\`), and there is no key ${file}, which git's \`user.signingKey\` names.`,
    { hint: HINT },
  );
}

const HINT = 'git config --global gpg.format ssh; git config --global user.signingKey FILE';

/** A key that is written out in place of a file's name. */
function literalKey(key: string): string | null {
  if (key.startsWith('key::')) return key.slice('key::'.length);
  return key.startsWith('ssh-') ? key : null;
}

/** As git expands it, from where git runs. */
async function keyFile(runner: Runner, key: string): Promise<string> {
  const path = /^[~%:]/.test(key)
    ? await runner.text([...setting('backtrail.key', key), 'config', '--type=path', 'backtrail.key'])
    : key;
  return resolve(runner.directory, path);
}
