import type { Environment } from '../process/spawn.ts';

/** A remote's address without its login, and how git gets at the login all the same. */
export interface Remote {
  readonly address: string;
  readonly config: readonly (readonly [key: string, value: string])[];
  readonly env: Environment;
}

/** Answers `git credential` from the environment, whose values no list of processes shows to others. */
const helper = (name: string) =>
  `!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$BACKTRAIL_${name}_USERNAME" "$BACKTRAIL_${name}_PASSWORD"; }; f`;

/**
 * git hands an http address to its own children as an argument, which every user of the machine can read: a login in it
 * would stand there. It goes the way of credential helpers instead, and as in git before any of the user's own helpers.
 */
export function splitLogin(url: string, purpose: 'FETCH' | 'PUSH' = 'FETCH'): Remote {
  const match = /^(https?:\/\/)([^/?#]*)@(.*)$/is.exec(url);
  const [, scheme = '', login = '', rest = ''] = match ?? [];
  if (match === null) return { address: url, config: [], env: {} };
  const [, name = '', password] = /^([^:]*)(?::(.*))?$/s.exec(login) ?? [];
  const place = `${scheme}${/^[^/?#]*/.exec(rest)?.[0] ?? ''}`;
  const address = `${scheme}${rest}`;
  const username = decoded(name);
  if (password === undefined)
    return { address, config: name === '' ? [] : [[`credential.${place}.username`, username]], env: {} };
  return {
    address,
    config: [
      [`credential.${place}.helper`, ''],
      [`credential.${place}.helper`, helper(purpose)],
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
