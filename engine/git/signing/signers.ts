import { readFile } from 'node:fs/promises';
import { configValue, hostileScope } from '../process/config.ts';
import type { ConfigEntry } from '../process/config.ts';
import { discoveryEnvironment } from '../process/environment.ts';
import type { ProcessEnvironment } from '../process/spawn.ts';
import { run } from '../process/spawn.ts';

/**
 * The list of keys that this machine trusts: the file named, else that of the user's own configuration of git; null where there is
 * neither. A repository's configuration is never read.
 */
export async function trustedKeys(userFile: UserFile, named: string | null): Promise<string | null> {
  return named ?? userFile('gpg.ssh.allowedSignersFile');
}

/** A text that changes whenever the trusted or revoked keys do. */
export async function trustMark(userFile: UserFile, file: string | null): Promise<string> {
  if (file === null) return '';
  const files = [file, await userFile('gpg.ssh.revocationFile')];
  const texts: string[] = [];
  for (const name of files) texts.push(name === null ? '' : await readFile(name, 'latin1').catch(() => ''));
  return JSON.stringify([files, texts]);
}

/** A file that a key of the user's own configuration of git names; null where it names none. */
export type UserFile = (key: string) => Promise<string | null>;

/**
 * The same, from the whole configuration that holds in a repository. What is the user's there is the user's everywhere, but where
 * something is included under a condition; that, and paths that only git can expand, git is asked about.
 */
export async function userFileIn(
  entries: readonly ConfigEntry[],
  env: ProcessEnvironment,
  key: string,
): Promise<string | null> {
  const own = entries.filter((entry) => !hostileScope(entry));
  if (own.some((entry) => entry.key.startsWith('includeif.'))) return userFile(env, key);
  const path = configValue(own, key.toLowerCase());
  if (path === null || path === '') return null;
  const [, below] = /^~(\/.*)$/s.exec(path) ?? [];
  if (below !== undefined && env['HOME']) return `${env['HOME']}${below}`;
  return /^[~%:]/.test(path) || !own.some((entry) => entry.value === path) ? userFile(env, key) : path;
}

/** The same, asked of git outside of any repository. */
export async function userFile(env: ProcessEnvironment, key: string): Promise<string | null> {
  const args = ['config', '--show-scope', '--type=path', '--get-all', '-z', key];
  const { stdout } = await run({ args, cwd: '/', env: discoveryEnvironment(env), okCodes: [0, 1] });
  const tokens = stdout.toString('utf8').split('\0').slice(0, -1);
  const files = tokens.filter(
    (_, at) => at % 2 === 1 && /^(?:system|global|command)$/.test(tokens[at - 1] ?? ''),
  );
  return files.at(-1) || null;
}
