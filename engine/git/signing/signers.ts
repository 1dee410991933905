import { readFile } from 'node:fs/promises';
import { discoveryEnvironment } from '../process/environment.ts';
import type { ProcessEnvironment } from '../process/spawn.ts';
import { run } from '../process/spawn.ts';

/**
 * The list of keys that this machine trusts: the file named, else that of the user's own configuration of git; null where there is
 * neither. A repository's configuration is never read.
 */
export async function trustedKeys(env: ProcessEnvironment, named: string | null): Promise<string | null> {
  return named ?? userFile(env, 'gpg.ssh.allowedSignersFile');
}

/** A text that changes whenever the trusted or revoked keys do. */
export async function trustMark(env: ProcessEnvironment, file: string | null): Promise<string> {
  if (file === null) return '';
  const files = [file, await userFile(env, 'gpg.ssh.revocationFile')];
  const texts: string[] = [];
  for (const name of files) texts.push(name === null ? '' : await readFile(name, 'latin1').catch(() => ''));
  return JSON.stringify([files, texts]);
}

/** A file that the user's own configuration of git names; null where it names none. */
async function userFile(env: ProcessEnvironment, key: string): Promise<string | null> {
  const args = ['config', '--show-scope', '--type=path', '--get-all', '-z', key];
  const { stdout } = await run({ args, cwd: '/', env: discoveryEnvironment(env), okCodes: [0, 1] });
  const tokens = stdout.toString('utf8').split('\0').slice(0, -1);
  const files = tokens.filter(
    (_, at) => at % 2 === 1 && /^(?:system|global|command)$/.test(tokens[at - 1] ?? ''),
  );
  return files.at(-1) || null;
}
