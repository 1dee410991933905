import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QUIET, temporaryFolder } from '../repositories/repo.ts';

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
  const { privateKey, publicKey, fingerprint } = createKey(email);
  await writeFile(keyFile, privateKey, { mode: 0o600 });
  await writeFile(`${keyFile}.pub`, `${publicKey} ${email}\n`);
  const signing = signs ? `\tsigningKey = ${keyFile}\n[gpg]\n\tformat = ssh\n` : '';
  const user = `[user]\n\tname = ${name}\n\temail = ${email}\n${signing}`;
  await writeFile(globalConfig, `${user}[init]\n\tdefaultBranch = main\n${QUIET}`);
  const env = { GIT_CONFIG_GLOBAL: globalConfig };
  return { name, email, env, globalConfig, keyFile, publicKey, fingerprint };
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

/** As `ssh-keygen -t ed25519` makes one, without a process: see PROTOCOL.key of OpenSSH for the format. */
function createKey(comment: string): { privateKey: string; publicKey: string; fingerprint: string } {
  const { d = '', x = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const [seed, point] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')];
  const blob = Buffer.concat([field('ssh-ed25519'), field(point)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([check, check, blob, field(Buffer.concat([seed, point])), field(comment)]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, (8 - (secret.length % 8)) % 8));
  const key = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...['none', 'none', ''].map(field),
    Buffer.from([0, 0, 0, 1]),
    field(blob),
    field(Buffer.concat([secret, padding])),
  ]);
  const lines = key.toString('base64').replace(/.{70}(?=.)/g, '$&\n');
  const digest = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
  return {
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`,
    publicKey: `ssh-ed25519 ${blob.toString('base64')}`,
    fingerprint: `SHA256:${digest}`,
  };
}

/** Its length in four bytes, and the bytes. */
function field(content: string | Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(content));
  return Buffer.concat([length, Buffer.from(content)]);
}
