import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './repo.ts';

/** Somebody with an SSH key of their own, whose git signs with it. */
export interface Identity {
  readonly name: string;
  readonly email: string;
  /** What their environment has besides that of a repository or of `isolatedEnv`: git's user-level settings. */
  readonly env: Readonly<Record<string, string>>;
  /** A file in the place of `~/.gitconfig`. */
  readonly globalConfig: string;
  /** The file with the private key. */
  readonly keyFile: string;
  /** `ssh-ed25519 AAAA…`. */
  readonly publicKey: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
}

/** An ed25519 key, and settings of git that sign with it; without `signs` only the name and the email. */
export async function createIdentity(person: {
  readonly name: string;
  readonly email: string;
  readonly signs?: boolean;
}): Promise<Identity> {
  const { name, email, signs = true } = person;
  const folder = await temporaryFolder('backtrail-identity-');
  const [keyFile, globalConfig] = [join(folder, 'key'), join(folder, 'gitconfig')];
  await keygen('-q', '-t', 'ed25519', '-N', '', '-C', email, '-f', keyFile);
  const [type = '', key = ''] = (await readFile(`${keyFile}.pub`, 'utf8')).split(' ');
  const [, fingerprint = ''] = (await keygen('-l', '-f', keyFile)).split(' ');
  const signing = signs ? `\tsigningKey = ${keyFile}\n[gpg]\n\tformat = ssh\n` : '';
  const user = `[user]\n\tname = ${name}\n\temail = ${email}\n${signing}`;
  await writeFile(globalConfig, `${user}[init]\n\tdefaultBranch = main\n`);
  const env = { GIT_CONFIG_GLOBAL: globalConfig };
  return { name, email, env, globalConfig, keyFile, publicKey: `${type} ${key}`, fingerprint };
}

/** A file that trusts these keys, each for the email of whom it belongs to. */
export async function allowedSigners(
  identities: readonly Pick<Identity, 'email' | 'publicKey'>[],
): Promise<string> {
  const file = join(await temporaryFolder('backtrail-signers-'), 'allowed_signers');
  const lines = identities.map(({ email, publicKey }) => `${email} namespaces="git" ${publicKey}\n`);
  await writeFile(file, lines.join(''));
  return file;
}

async function keygen(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('ssh-keygen', args);
  return stdout;
}
