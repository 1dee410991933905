/** Signs as git does where it makes a commit itself: `sign_buffer_ssh` of its gpg-interface.c. */
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BacktrailError, isFailure } from '../../model/index.ts';
import type { Runner } from '../process/runner.ts';
import { run } from '../process/spawn.ts';
import { type SigningKey, setting, signingFailed } from './signing.ts';

/** The signature, as armoured text, of what a commit says. @throws SIGNING_FAILED, GIT_MISSING without the program */
export async function sign(runner: Runner, signing: SigningKey, bytes: Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'backtrail-sign-'));
  try {
    const commit = join(folder, 'commit');
    await writeFile(commit, bytes, { mode: 0o600 });
    const literal = literalKey(signing.key);
    const key = literal === null ? await keyFile(runner, signing.key) : join(folder, 'key.pub');
    if (literal !== null) await writeFile(key, `${literal}\n`, { mode: 0o600 });
    // An agent has the private key of one that is written out.
    const args = ['-Y', 'sign', '-n', 'git', '-f', key, ...(literal === null ? [] : ['-U']), commit];
    const { code, stderr } = await runProgram(runner, signing.program, args);
    const signature = code === 0 ? await readFile(`${commit}.sig`, 'latin1').catch(() => '') : '';
    const text = signature.replaceAll('\r\n', '\n');
    if (text.startsWith('-----BEGIN SSH SIGNATURE-----\n')) return text;
    throw signingFailed('commit', code === 0 ? `${signing.program} made no SSH signature` : stderr, code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

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

/** Whatever it ends with is an answer. */
const EVERY = Array.from({ length: 256 }, (_, code) => code);

async function runProgram({ directory, env, timeoutMs, signal }: Runner, program: string, args: string[]) {
  try {
    return await run({ program, args, cwd: directory, env, timeoutMs, signal, okCodes: EVERY });
  } catch (error) {
    if (!isFailure(error) || error.code !== 'GIT_MISSING') throw error;
    throw new BacktrailError(
      'GIT_MISSING',
      `No commit can be signed: the program ${program} was not found.`,
      {
        hint: 'Install OpenSSH, so that ssh-keygen is on PATH.',
        cause: error,
      },
    );
  }
}
