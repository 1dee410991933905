import type { Person } from '../../model/index.ts';

/** One line of `git config --list --show-scope --show-origin`. Section and variable are lower-case, the subsection is as written. */
export interface ConfigEntry {
  /** `system`, `global`, `local`, `worktree`, `command` or `unknown`. */
  readonly scope: string;
  /** `file:PATH`, `command line:`; absent where git was not asked. */
  readonly origin?: string;
  readonly key: string;
  /** null: a key without a value, which git reads as true. */
  readonly value: string | null;
}

/** Lists every configuration that holds here, includes and worktree configuration too. Runs nothing. */
export const LIST_CONFIG = ['config', '--list', '--show-scope', '--show-origin', '--includes', '-z'] as const;

export function parseConfigList(output: Uint8Array): ConfigEntry[] {
  const tokens = Buffer.from(output).toString('utf8').split('\0');
  const entries: ConfigEntry[] = [];
  for (let i = 0; i + 2 < tokens.length; i += 3) {
    const scope = tokens[i] ?? '';
    const origin = tokens[i + 1] ?? '';
    const pair = tokens[i + 2] ?? '';
    const end = pair.indexOf('\n');
    entries.push(
      end < 0
        ? { scope, origin, key: pair, value: null }
        : { scope, origin, key: pair.slice(0, end), value: pair.slice(end + 1) },
    );
  }
  return entries;
}

/** Written by whoever wrote the repository, not by whoever runs us. */
export function hostileScope({ scope }: ConfigEntry): boolean {
  return scope !== 'system' && scope !== 'global' && scope !== 'command';
}

/** The last value of a key, as git would take it. */
export function configValue(entries: readonly ConfigEntry[], key: string): string | null {
  const entry = entries.findLast((entry) => entry.key === key);
  return entry === undefined ? null : (entry.value ?? 'true');
}

/** What decides how a remote is reached. */
const REACHING =
  /^url\..*\.(push)?insteadof$|^credential\.|^http\.|^ssh\.variant$|^core\.(sshcommand|askpass|gitproxy)$/s;
/** Lists that an empty value begins anew. */
const LIST = /^credential\.(.*\.)?helper$|^http\.(.*\.)?extraheader$/s;

/**
 * The user's own settings for reaching a remote that hold in this repository alone (`includeIf`), for use in another one, where
 * only those of `elsewhere` hold.
 */
export function conditionalSettings(
  here: readonly ConfigEntry[],
  elsewhere: readonly ConfigEntry[],
): [key: string, value: string][] {
  const own = here.filter((entry) => !hostileScope(entry) && REACHING.test(entry.key));
  const valuesOf = (entries: readonly ConfigEntry[], key: string) =>
    entries.filter((entry) => entry.key === key && !hostileScope(entry)).map(({ value }) => value ?? 'true');
  return [...new Set(own.map(({ key }) => key))].flatMap((key) => {
    const [values, known] = [valuesOf(own, key), valuesOf(elsewhere, key)];
    if (values.length === known.length && values.every((value, index) => value === known[index])) return [];
    if (key.startsWith('url.'))
      return values
        .filter((value) => !known.includes(value))
        .map((value) => [key, value] as [string, string]);
    const used = LIST.test(key) ? ['', ...values] : values.slice(-1);
    return used.map((value) => [key, value] as [string, string]);
  });
}

/** Settings of the repository itself for reaching this address; they are not followed. */
export function ignoredSettings(entries: readonly ConfigEntry[], url: string): string[] {
  const ignored = entries.filter(
    (entry) =>
      hostileScope(entry) &&
      REACHING.test(entry.key) &&
      (!entry.key.startsWith('url.') || url.startsWith(entry.value ?? '')),
  );
  return [...new Set(ignored.map(({ key }) => key))];
}

/** Who runs us: the environment before the configuration, as git decides it; null where no name and email are set. */
export function identityOf(
  entries: readonly ConfigEntry[],
  env: Readonly<Record<string, string | undefined>>,
): Person | null {
  const name = filled(env['GIT_AUTHOR_NAME']) ?? configValue(entries, 'user.name');
  const email = filled(env['GIT_AUTHOR_EMAIL']) ?? configValue(entries, 'user.email') ?? filled(env['EMAIL']);
  return name === null || email === null ? null : { name, email };
}

const filled = (value: string | undefined) => (value === undefined || value === '' ? null : value);

/** May objects be missing that git would fetch when it wants them? */
export const isPartial = (entries: readonly ConfigEntry[]) =>
  entries.some(({ key }) => /^extensions\.partialclone$|^remote\..*\.promisor$/s.test(key));
