/** People with SSH keys of their own, each with a home: nothing of this machine's user takes part. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { colorEnv } from './narrate.ts';

export interface Somebody {
  /** How a shell of theirs would call them: the name of their home. */
  readonly account: string;
  readonly name: string;
  readonly email: string;
  readonly env: Record<string, string>;
  /** `ssh-ed25519 AAAA…`; null: they have no key. */
  readonly key: string | null;
}

/** `signs`: makes a key, and tells their git to sign with it. */
export function makeSomebody(
  home: string,
  { name, email, signs }: { name: string; email: string; signs: boolean },
): Somebody {
  const env = environmentOf(home);
  const settings = join(home, '.gitconfig');
  writeFileSync(settings, `[user]\n\tname = ${name}\n\temail = ${email}\n`);
  const key = signs ? makeKey(home, { email, settings }) : null;
  return { account: basename(home), name, email, env, key };
}

/** Git's settings, caches and keys come from this folder alone. */
export function environmentOf(home: string): Record<string, string> {
  mkdirSync(home, { recursive: true });
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: home,
    GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
    GIT_CONFIG_NOSYSTEM: '1',
    XDG_CACHE_HOME: join(home, '.cache'),
    LC_ALL: 'C.UTF-8',
    ...colorEnv,
  };
}

function makeKey(home: string, { email, settings }: { email: string; settings: string }): string {
  const file = join(home, 'id_ed25519');
  const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', email, '-f', file], {
    encoding: 'utf8',
  });
  if (made.error !== undefined)
    throw new Error(
      'ssh-keygen is missing: install OpenSSH’s client (Debian: apt-get install openssh-client), with which approvals are signed.',
    );
  if (made.status !== 0) throw new Error(`ssh-keygen made no key: ${made.stderr.trim()}`);
  appendFileSync(settings, `\tsigningKey = ${file}.pub\n[gpg]\n\tformat = ssh\n`);
  return readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
}

/** Whose key is whose, for BACKTRAIL_ALLOWED_SIGNERS, and for git's setting of that name. */
export function allowedSigners(people: readonly Somebody[]): string {
  return people
    .filter(({ key }) => key !== null)
    .map(({ email, key }) => `${email} namespaces="git" ${key ?? ''}\n`)
    .join('');
}

/** Their git, and so their Backtrail, trusts the keys of that list. */
export function letTrust({ env }: Somebody, signers: string): void {
  appendFileSync(env['GIT_CONFIG_GLOBAL'] ?? '', `[gpg "ssh"]\n\tallowedSignersFile = ${signers}\n`);
}
