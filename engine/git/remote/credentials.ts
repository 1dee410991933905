import type { Environment } from '../process/spawn.ts';

/** A remote's address without its credentials, and the settings by which git gets them all the same. */
export interface Remote {
  readonly address: string;
  readonly config: readonly (readonly [key: string, value: string])[];
  readonly env: Environment;
}

/** Answers `git credential` from the environment, which other users cannot read. */
const helper = (name: string) =>
  `!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$BACKTRAIL_${name}_USERNAME" "$BACKTRAIL_${name}_PASSWORD"; }; f`;

/**
 * git passes an http address to its own children as an argument, which every user of the machine can read, so that credentials must
 * not be in it. They go through a credential helper instead, which git asks before the user's own helpers.
 */
export function splitCredentials(url: string, purpose: 'FETCH' | 'PUSH' = 'FETCH'): Remote {
  const match = /^(https?:\/\/)([^/?#]*)@(.*)$/is.exec(url);
  const [, scheme = '', credentials = '', rest = ''] = match ?? [];
  if (match === null) return { address: url, config: [], env: {} };
  const [, name = '', password] = /^([^:]*)(?::(.*))?$/s.exec(credentials) ?? [];
  const origin = `${scheme}${/^[^/?#]*/.exec(rest)?.[0] ?? ''}`;
  const address = `${scheme}${rest}`;
  const username = decoded(name);
  if (password === undefined)
    return { address, config: name === '' ? [] : [[`credential.${origin}.username`, username]], env: {} };
  return {
    address,
    config: [
      [`credential.${origin}.helper`, ''],
      [`credential.${origin}.helper`, helper(purpose)],
    ],
    env: {
      [`BACKTRAIL_${purpose}_USERNAME`]: username,
      [`BACKTRAIL_${purpose}_PASSWORD`]: decoded(password),
    },
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
