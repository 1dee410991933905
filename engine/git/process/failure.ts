import { BacktrailError } from '../../model/index.ts';
import type { FailureCode } from '../../model/index.ts';

/** What git says on its error stream, as failures with a code. Messages are those of git under LC_ALL=C.UTF-8. */

export interface GitAnswer {
  readonly args: readonly string[];
  readonly code: number;
  readonly stderr: string;
  readonly pid?: number;
}

export function gitFailure({ args, code, stderr, pid }: GitAnswer): BacktrailError {
  const lazy = /could not fetch ([0-9a-f]{40,64}) from promisor remote/.exec(stderr)?.[1];
  if (lazy !== undefined) return neverFetched(lazy);
  const lock = lockFile(stderr);
  const details = {
    command: commandName(args),
    exitCode: code,
    pid,
    ...(lock !== null && { lock }),
    ...(isDamage(stderr) && { damaged: true }),
  };
  const kind: FailureCode = /dubious ownership/.test(stderr)
    ? 'REPOSITORY_UNTRUSTED'
    : lock === null
      ? 'GIT_FAILED'
      : 'REPOSITORY_LOCKED';
  const trust = /^\s*(git config --global --add safe\.directory .+)$/m.exec(printable(stderr))?.[1];
  return new BacktrailError(kind, `${commandName(args)} failed: ${sentence(lastLine(stderr), code)}`, {
    details,
    ...(trust !== undefined && { hint: `The repository belongs to another user. If you trust it: ${trust}` }),
  });
}

export function neverFetched(id: string): BacktrailError {
  return new BacktrailError('PARTIAL_CLONE', `The object ${id} was never fetched into this partial clone.`, {
    details: { id },
  });
}

/** The lock file that git found in its way, or null. What a server says of its own does not count. */
export function lockFile(stderr: string): string | null {
  const match = /^(?!remote:).*Unable to create '([^'\n]+\.lock)': File exists/m.exec(stderr);
  return match?.[1] ?? null;
}

const DAMAGE =
  /not a git repository: '|(unexpected|unterminated) line in .*packed-refs|bad object refs\/|bad (tree|commit|blob) object|did not send all necessary objects|does not match index|(index|commit-graph) file .*too small|far too short to be a packfile|(is|file) corrupt|object file .* is empty|bad config (line|file)|invalid parent position|unable to (read|parse|find) (tree|object|commit|sha1 file|[0-9a-f]{40,64})|could not read [0-9a-f]{40}|ignoring broken ref|reference broken|inflate: |failed to read (delta|object)|packfile .* cannot be|missing (tree|blob|commit|object) [0-9a-f]{40}|commit-graph .*(corrupt|out of order|improper|wrong)/i;

/** Does git say that files of the repository itself are damaged? What a server says of its own does not count. */
export function isDamage(stderr: string): boolean {
  return stderr.split(/[\r\n]/).some((line) => !line.startsWith('remote:') && DAMAGE.test(line));
}

/** Can it be that files of the repository are damaged? Objects that are missing are, in a mirror of ours: it is whole. */
export function isDamaged(error: BacktrailError): boolean {
  return error.details['damaged'] === true || error.code === 'OBJECT_MISSING';
}

/** `git log`: the subcommand without options, which could hold anything. */
export function commandName(args: readonly string[]): string {
  for (let i = 0; i < args.length; i += 1) {
    const word = args[i] ?? '';
    if (word === '-c' || word === '-C') i += 1;
    else if (!word.startsWith('-')) return `git ${word}`;
  }
  return 'git';
}

/** The line that says why: the last `fatal:` or `error:`, else the last one. */
export function lastLine(stderr: string): string {
  const lines = printable(stderr)
    .split('\n')
    .filter((line) => line.trim() !== '');
  const telling = lines.findLast((line) => /^(fatal|error):/.test(line)) ?? lines.at(-1) ?? '';
  return telling
    .replace(/^(fatal|error):\s*/, '')
    .trim()
    .slice(0, 500);
}

/** `text` as one sentence that ends with a period. */
export function sentence(text: string, code: number): string {
  const said = text === '' ? `exit code ${code}` : text;
  return /[.!?]$/.test(said) ? said : `${said}.`;
}

/** Without escape sequences, control and bidirectional characters (newlines stay) and without passwords of URLs. */
export function printable(text: string): string {
  return withoutCredentials(
    text
      // eslint-disable-next-line no-control-regex
      .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')
      .replace(/\r\n?/g, '\n')
      .replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (char) =>
        char === '\n' ? char : ' ',
      ),
  );
}

/** Takes `user:password@` and the query out of every URL in the text; both can hold secrets. */
function withoutCredentials(text: string): string {
  return text.replace(/:\/\/[^\s/?#]*@/g, '://').replace(/\S+/g, (word) => {
    const url = word.indexOf('://');
    const query = url < 0 ? -1 : word.indexOf('?', url);
    return query < 0 ? word : word.slice(0, query) + word.slice(query).replace(/^\?[^'"]+/, '?…');
  });
}

/**
 * An address as it may be shown: without credentials, query and fragment. Of a URL that cannot be parsed
 * only the scheme: no one knows where its password ends.
 */
export function shownAddress(address: string): string {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)(.*)$/is.exec(address) ?? [];
  if (scheme === '') return printable(address);
  if (!URL.canParse(address)) return printable(`${scheme}…`);
  const [authority = ''] = /^[^/?#]*/.exec(rest) ?? [];
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  return printable(`${scheme}${host}${rest.slice(authority.length).replace(/[?#].*$/s, '?…')}`);
}
