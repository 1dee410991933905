import { readFile } from 'node:fs/promises';
import { discoveryEnvironment } from './environment.ts';
import type { ProcessEnvironment } from './environment.ts';
import { run } from './spawn.ts';

/**
 * The list of keys that this machine trusts: the file named, else that of the user's own configuration of git; null where there is
 * neither. A repository's configuration is not asked.
 */
export async function trustedKeys(env: ProcessEnvironment, named: string | null): Promise<string | null> {
  if (named !== null) return named;
  const args = ['config', '--show-scope', '--type=path', '--get-all', '-z', 'gpg.ssh.allowedSignersFile'];
  const { stdout } = await run({ args, cwd: '/', env: discoveryEnvironment(env), okCodes: [0, 1] });
  const tokens = stdout.toString('utf8').split('\0').slice(0, -1);
  const files = tokens.filter(
    (_, at) => at % 2 === 1 && /^(?:system|global|command)$/.test(tokens[at - 1] ?? ''),
  );
  return files.at(-1) || null;
}

/** What is another text as soon as other keys are trusted. */
export async function trustMark(file: string | null): Promise<string> {
  if (file === null) return '';
  return `${file}\n${await readFile(file, 'utf8').catch(() => '')}`;
}
