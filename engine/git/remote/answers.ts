import { BacktrailError } from '../../model/index.ts';
import type { FailureCode, FailureDetails } from '../../model/index.ts';
import { isDamage, lastLine, lockFile, printable, sentence } from '../process/failure.ts';
import { refTitle } from '../store/refs.ts';
import type { TransportAnswer } from './transport.ts';

/** Maps the answers of servers and transports to failure codes. */

/** Another push was faster: plan again on the new tip. */
const MOVED =
  /non-fast-forward|fetch first|stale info|cannot lock ref|incorrect old value|reference already exists|failed to update ref|atomic push failed|atomic transaction failed/i;
/** A rule of the server refuses it: a retry does not help. */
const REFUSED =
  /protected branch|GH006|GH013|hook declined|rule violations|prohibited|denied by|not allowed to|deny updating|branch is currently checked out|refusing to/i;
const DENIED =
  /authentication failed|could not read (username|password)|permission denied|access denied(?! or repository not exported)|invalid (username|credentials)|host key verification failed|service not enabled|returned error: (401|403)|HTTP (401|403)|terminal prompts disabled|not authorized|unauthorized/i;
const ABSENT =
  /does not appear to be a git repository|repository .*not found|not a git repository|returned error: 404|no such file or directory|not found: did you run|repository not exported/i;
/** What ssh, curl and git say of a server that cannot be reached now; ssh may name an absent file of ours besides. */
const UNREACHED =
  /could not resolve|connection (refused|reset|timed out|closed by)|(failed|unable) to connect|couldn't connect|connect to host|timed out|(network|host) is (unreachable|down)|no route to host|temporary failure|stale file handle|transport endpoint is not connected|input\/output error|too many requests|returned error: (429|5\d\d)/i;

const REMOTE_DAMAGE = /on the remote side/;

/**
 * A failed fetch or ls-remote; null where it went well. `known`: the mirror was filled from this remote before, so that a repository that is not
 * there now is a remote that is unavailable, not one that never was.
 */
export function fetchFailure(
  answer: TransportAnswer,
  remote: { shown: string; known: boolean },
): BacktrailError | null {
  const { shown, known } = remote;
  const text = printable(answer.stderr);
  // A damaged pack makes objects look absent: git fetches them again, succeeds, and prints errors.
  const damaged = isDamage(text);
  if (answer.code === 0 && !damaged) return null;
  const lock = lockFile(text);
  const details = { exitCode: answer.code, ...(lock === null ? {} : { lock }) };
  const because = reason(text, answer.code);
  if (lock !== null)
    return new BacktrailError('REPOSITORY_LOCKED', `The mirror is locked by ${lock}.`, { details });
  if (REMOTE_DAMAGE.test(text))
    return new BacktrailError(
      'REMOTE_UNAVAILABLE',
      `${shown} cannot give all of its objects: it is damaged, or a partial clone.`,
      { details: { ...details, gone: true }, hint: 'Name the repository that it was cloned from.' },
    );
  if (damaged)
    return new BacktrailError('GIT_FAILED', `The mirror of ${shown} is damaged: ${because}`, {
      details: { ...details, damaged },
    });
  if (/mismatched algorithms|object format/i.test(text))
    return new BacktrailError('GIT_FAILED', `${shown} has object ids of another kind than before.`, {
      details: { ...details, damaged: true, otherFormat: true },
    });
  if (/dubious ownership/.test(text))
    return new BacktrailError('REPOSITORY_UNTRUSTED', `${shown} was not fetched: ${because}`, { details });
  if (DENIED.test(text))
    return new BacktrailError('REMOTE_DENIED', `${shown} did not let us in: ${because}`, {
      details,
      ...hostKeyHint(text),
    });
  // git reports a missing program with the words of a missing file.
  if (/cannot run /.test(text)) return notReached(`${shown} cannot be reached: ${because}`, details);
  if (ABSENT.test(text) && !UNREACHED.test(text) && !known)
    return new BacktrailError('REPOSITORY_UNKNOWN', `There is no repository at ${shown}.`, { details });
  const gone = ABSENT.test(text) && !UNREACHED.test(text) && !/^file:/i.test(shown);
  return new BacktrailError('REMOTE_UNAVAILABLE', `${shown} did not answer: ${because}`, {
    details: { ...details, ...(gone && { gone }) },
  });
}

export function requireAnswer(answer: TransportAnswer, remote: { shown: string; known: boolean }): void {
  const failure = fetchFailure(answer, remote);
  if (failure !== null) throw failure;
}

/** Could the remote not be reached? A server that says that the repository is gone, or denies access, was reached. */
export function isAway(error: BacktrailError): boolean {
  return error.code === 'REMOTE_UNAVAILABLE' && error.details['gone'] !== true;
}

/** That nothing moved because another ref of the same push could not. */
const CONSEQUENCE = /atomic (push|transaction) fail/i;

/** Of the refs of an atomic push that failed, the one that is to blame: the others did not move because it did not. */
export function blamedRef({ stdout }: TransportAnswer, refs: readonly string[]): string {
  const text = printable(stdout);
  const own = refs.find((ref) => {
    const status = refStatus(text, ref);
    return status !== null && !CONSEQUENCE.test(status);
  });
  return own ?? refs[0] ?? '';
}

/** Did one of these refs refuse to move, and the others only because of it? */
export function isAloneToBlame(
  answer: TransportAnswer,
  refs: readonly string[],
  others: readonly string[],
): boolean {
  const text = printable(answer.stdout);
  return (
    refs.includes(blamedRef(answer, [...refs, ...others])) &&
    others.every((other) => CONSEQUENCE.test(refStatus(text, other) ?? ''))
  );
}

/** A failed push. The server's own words (`remote: …`) say which rule refused it. */
export function pushFailure(
  answer: TransportAnswer,
  target: { shown: string; ref: string; fetched?: string },
): BacktrailError {
  const { shown, ref, fetched = shown } = target;
  const branch = ref.replace(/^refs\/heads\//, '');
  const stderr = printable(answer.stderr);
  const status = refStatus(printable(answer.stdout), ref);
  const said = remoteLines(stderr);
  const details = { status, remote: said, exitCode: answer.code };
  const fail = (code: FailureCode, message: string) =>
    new BacktrailError(code, message, { details: code === 'BRANCH_MOVED' ? { ...details, ref } : details });
  const refused = () => {
    const why = sentence(said.length > 0 ? telling(said) : (status ?? ''), answer.code);
    const message = `${shown} refused the push to ${branch}: ${why}`;
    const lines = [...said, status ?? ''];
    const isUnsigned = lines.some((line) => UNSIGNED.test(line));
    const rule = isUnsigned ? TAKES_NO_PUSH : PROTECTED;
    const isProtected = ref !== branch && lines.some((line) => rule.test(line));
    const hints = [
      ...(isUnsigned ? [SIGN] : []),
      ...(isProtected ? [PROPOSE] : []),
      ...(ref === branch && !isUnsigned ? [OWN_BRANCH] : []),
    ];
    return new BacktrailError('REMOTE_REJECTED', message, {
      details: { ...details, ...(isProtected && { protected: true }), ...(isUnsigned && { unsigned: true }) },
      ...(hints.length > 0 && { hint: hints.join(' ') }),
    });
  };
  if (status !== null && REFUSED.test(status) && !status.startsWith('[rejected]')) return refused();
  // A conflict of a ref with a folder of refs: a retry does not help.
  if (said.some((line) => /exists; cannot create/.test(line))) return refused();
  if (status !== null && MOVED.test(status))
    return fetched === shown
      ? fail('BRANCH_MOVED', `${refTitle(ref)} moved at ${shown}.`)
      : new BacktrailError(
          'BRANCH_MOVED',
          `${refTitle(ref)} at ${shown}, where pushes go, is not what it is at ${fetched}, where it is read.`,
          {
            details: { ...details, ref },
            hint: 'Bring both together, or name the one that counts with --repo URL.',
          },
        );
  if (status !== null && status.startsWith('[remote')) return refused();
  const because = reason(stderr, answer.code);
  // The same server could be fetched from: it accepts no pushes.
  if (DENIED.test(stderr) || /repository not exported/.test(stderr))
    return fail('REMOTE_DENIED', `${shown} did not let us push: ${because}`);
  return fail('REMOTE_UNAVAILABLE', `The push to ${shown} did not get through: ${because}`);
}

/**
 * GitHub: "GH006: Protected branch update failed", "GH013: Repository rule violations … Changes must be made through a pull request"; GitLab:
 * "You are not allowed to push code to protected branches on this project"; Gitea: "Not allowed to push to protected branch main".
 */
const PROTECTED =
  /GH006\b|GH013\b|must be made through a (?:pull|merge) request|not allowed to (?:force[- ])?push (?:code )?to (?:a )?protected branch|protected branch hook declined/i;

/** The same without the numbers that GitHub puts before every rule, and without what git says of every refusal. */
const TAKES_NO_PUSH =
  /must be made through a (?:pull|merge) request|not allowed to (?:force[- ])?push (?:code )?to (?:a )?protected branch/i;

/**
 * GitHub: "Commits must have verified signatures."; GitLab: "Commit must be signed with a GPG key"; Gitea and Forgejo: "branch main is protected
 * from unverified commit 3f2c9ab". A sign-off is something else.
 */
const UNSIGNED =
  /^(?!.*\b(?:CLA|agreement|sign(?:ed)?[- ]?off)\b).*(?:\b(?:un)?signed\b|\b(?:verified|valid|missing|commit|gpg|ssh) signatures?\b|\bunverified commit|\bsignatures? (?:is|are) (?:required|missing)|\bsign (?:your|all|the) commits?\b)/i;

const SIGN =
  'Where the branch takes signed commits alone, let Backtrail sign: `commit.sign: true` in the configuration, with a key that the server knows for the committer (docs/signing.md).';

const PROPOSE =
  'Where the branch takes no push, let rollbacks be pull requests: `publish: [{ match: "**", via: pull-request }]` in the configuration (docs/pull-requests.md).';

/** Some servers take nothing but branches and tags. */
const OWN_BRANCH =
  'If the server takes branches only, give the ledger one of its own: `ledger.ref: refs/heads/backtrail-ledger` in the configuration.';

const SAID_LIMIT = 600;

/** Everything that a hook printed; for GitHub from the line with the number of its rule, after the greeting. */
function telling(said: readonly string[]): string {
  const rule = said.findIndex((line) => /GH\d{3}/.test(line));
  const text = said
    .slice(Math.max(rule, 0))
    .map((line) => line.replace(/^(error|fatal):\s*/, ''))
    .join(' ');
  return text.length > SAID_LIMIT ? `${text.slice(0, SAID_LIMIT)}…` : text;
}

/** When ssh fails, git prints only that it could not read; the line before it has the reason. */
function reason(text: string, code: number): string {
  const [before = ''] = text.split(/^fatal: Could not read from remote repository/m);
  return sentence(lastLine(before.trim() === '' ? text : before), code);
}

function hostKeyHint(text: string): { hint?: string } {
  if (/host identification has changed/i.test(text))
    return {
      hint: 'The host shows another key than before: ask who runs it; if it is right, remove the old one with `ssh-keygen -R HOST`.',
    };
  if (/host key verification failed/i.test(text))
    return { hint: 'Connect once by hand with `ssh HOST`, compare its key and accept it.' };
  return {};
}

function notReached(message: string, details: FailureDetails): BacktrailError {
  return new BacktrailError('REMOTE_UNAVAILABLE', message, {
    details,
    hint: 'Install the program that git names, and see that it is on PATH.',
  });
}

/** Of `git push --porcelain`: `!\t<from>:<to>\t<summary>`. The summary of our ref, or null where none came back. */
function refStatus(stdout: string, ref: string): string | null {
  // `printable` made blanks of the tabs.
  const line = stdout.split('\n').find((line) => /^!\s/.test(line) && line.includes(`:${ref} `));
  return line === undefined ? null : line.slice(line.indexOf(`:${ref} `) + ref.length + 2).trim();
}

const PROGRESS = /^(Enumerating|Counting|Compressing|Unpacking|Receiving|Resolving|Checking)( [a-z]+)+: +\d/;

/** What the server wrote, without its progress, and without the decoration that hosts put around it. */
function remoteLines(stderr: string): string[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('remote:'))
    .map((line) => line.slice('remote:'.length).trim().slice(0, 300))
    .filter((line) => /[\p{L}\p{N}]/u.test(line) && !PROGRESS.test(line))
    .slice(0, 20);
}
