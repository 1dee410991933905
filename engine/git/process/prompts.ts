import { basename } from 'node:path';
import { shellWord } from '../../model/index.ts';
import type { ConfigEntry } from './config.ts';
import { configValue, hostileScope } from './config.ts';
import type { ProcessEnvironment } from './spawn.ts';
import type { Environment } from './spawn.ts';

/**
 * Keeps git and ssh from prompting: no terminal, no window, a failure instead. Programs that the user named to
 * give credentials (helpers, `GIT_ASKPASS`, an agent) stay. ssh asks for passphrases and host keys on the terminal itself:
 * batch mode forbids it, and for a wrapper, whose options are not known, an askpass that always says no.
 */
export function withoutPrompts(user: ProcessEnvironment, entries: readonly ConfigEntry[]): Environment {
  const own = entries.filter((entry) => !hostileScope(entry));
  const asked = user['GIT_ASKPASS'] ?? configValue(own, 'core.askpass');
  const command = quietSsh(user, own);
  return {
    SSH_ASKPASS: 'false',
    SSH_ASKPASS_REQUIRE: 'force',
    ...(asked === null && { GIT_ASKPASS: '' }),
    ...(command !== null && { GIT_SSH_COMMAND: command }),
  };
}

/** A peer that says nothing for a minute is gone, also one that accepts a connection and never greets. */
const OPTIONS = '-o BatchMode=yes -o ConnectTimeout=60 -o ServerAliveInterval=15 -o ServerAliveCountMax=4';

/** The user's own ssh command, in git's order of precedence, with our options; null where it is not OpenSSH. */
function quietSsh(user: ProcessEnvironment, own: readonly ConfigEntry[]): string | null {
  const program = user['GIT_SSH'];
  const command =
    user['GIT_SSH_COMMAND'] ??
    configValue(own, 'core.sshcommand') ??
    (program === undefined ? 'ssh' : shellWord(program));
  const variant = user['GIT_SSH_VARIANT'] ?? configValue(own, 'ssh.variant') ?? 'auto';
  const first = /^\s*(?:'([^']*)'|"([^"]*)"|(\S+))/.exec(command);
  const name = basename(first?.[1] ?? first?.[2] ?? first?.[3] ?? '');
  return variant === 'ssh' || (variant === 'auto' && /^ssh(\.exe)?$/i.test(name))
    ? `${command} ${OPTIONS}`
    : null;
}
