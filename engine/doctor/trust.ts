/** Who decides here: whoever may push, or whoever signs with a key that this machine trusts. */
import { readFile, realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { type Check, emailKey, type Policy, type RepositoryReader } from '../model/index.ts';
import type { GitRepository } from '../git/open.ts';
import { trustedKeys } from '../git/signing/signers.ts';
import { needsSignedRequest, personId, samePerson } from '../policy/policy.ts';
import { fitsNames } from '../policy/vouched.ts';
import { count, type Keyed, peopleWithKeys, some } from './tree/index.ts';
import { discover } from '../layout/discover.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { settled } from './attempt.ts';

type Said = Pick<Check, 'message' | 'hint' | 'details'>;
const machine = (name: string, status: Check['status'], said: Said): Check => ({
  area: 'machine',
  name,
  status,
  ...said,
});

/** `policy` null: it could not be read. */
export function checkTrust(policy: Policy | null): Check {
  const asking = (policy?.environments ?? []).filter(({ quorum }) => quorum > 0);
  const unsigned = asking.filter(({ unsignedApprovals }) => unsignedApprovals);
  const trust = (status: Check['status'], said: Said): Check => ({
    area: 'publishing',
    name: 'trust',
    status,
    ...said,
  });
  if (asking.length === 0)
    return trust('warn', {
      message:
        'trust: push-access. Whoever may push to the branch decides; the names in the record are not proven.',
      hint: 'Protect the branch at the server, so that few may push; `policy` in the configuration asks for approvals.',
    });
  if (unsigned.length > 0)
    return trust('warn', {
      message: `trust: push-access. For ${some(unsigned.map(({ match }) => JSON.stringify(match)))} approvals count that no key proves: whoever may push can write them in any name.`,
      hint: 'Take `unsignedApprovals` out, and list the keys of approvers in a file: BACKTRAIL_ALLOWED_SIGNERS=FILE.',
      details: { unsignedApprovals: unsigned.map(({ match }) => match) },
    });
  const anonymous = asking.filter((rule) => !needsSignedRequest(rule));
  if (anonymous.length > 0)
    return trust('warn', {
      message: `trust: signed approvals. For ${some(anonymous.map(({ match }) => JSON.stringify(match)))} a request need not be signed: whoever may approve and push can ask in another name, and then approve.`,
      hint: 'Take `unsignedRequests` out.',
      details: { unsignedRequests: anonymous.map(({ match }) => match) },
    });
  return trust('ok', {
    message:
      'trust: signed approvals. Workers execute what keys of their own list approved; whoever may push to the branch still goes past them.',
    hint: 'Protect the branch at the server, so that few may push.',
  });
}

/** Where approvals have to be signed: whose keys are trusted here, and whether the user's own would be. */
export async function checkKeys(
  git: GitRepository,
  snapshot: Snapshot,
  { allowedSigners }: { readonly allowedSigners?: string | null },
): Promise<Check[]> {
  const { layout, base } = snapshot;
  const { policy } = layout.config;
  if (policy.environments.length === 0) return [];
  const found = await discover(await snapshot.view(base), layout);
  const places = found.filter(({ service }) => service === undefined);
  const keyed = peopleWithKeys(policy, places);
  if (!keyed.asks) return [];
  const settings = await settled(
    (async () => ({
      file: await trustedKeys(git.userFile, allowedSigners ?? null),
      signs: await git.ledger.signs(),
    }))(),
  );
  // The check of git says that it is missing, and without it nothing is verified.
  if ('error' in settings && settings.error.code === 'GIT_MISSING') return [];
  if ('error' in settings) throw settings.error;
  const { file, signs } = settings.value;
  return [await checkSigners(git, file, { ...keyed, policy }), signingCheck(signs, keyed.isSigned)];
}

async function checkSigners(
  git: RepositoryReader,
  file: string | null,
  { approvers, askers, own, policy }: Keyed & { readonly policy: Policy },
): Promise<Check> {
  const hint =
    'Keep a file of lines EMAIL namespaces="git" KEY outside the repository, and name it: BACKTRAIL_ALLOWED_SIGNERS=FILE.';
  const warn = (message: string, details?: Check['details']) =>
    machine('signers', 'warn', { message, hint, ...(details && { details }) });
  if (file === null) return warn('A worker of this machine trusts no key, so no approval counts for it.');
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return warn(`The list of trusted keys ${file} cannot be read: no approval counts.`);
  if (await isInside(file, git))
    return warn(
      `The list of trusted keys ${file} lies in the repository: whoever may push there decides whom this machine trusts.`,
    );
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0)
    return warn(`The list of trusted keys ${file} is empty, so no approval counts here.`);
  const listed = lines.map(principals);
  const keyed = new Set(listed.flat().map((email) => personId(policy, email)));
  const isServed = (email: string) => listed.some((names) => fitsNames(names, email));
  const isKeyed = (email: string) => keyed.has(email) || emailsOf(policy, email).some(isServed);
  const without = approvers.filter((email) => !isKeyed(email));
  const silent = askers.filter((email) => !isKeyed(email));
  const strict = [...new Set(own.flatMap((where) => [...where.approvers, ...where.askers]))]
    .filter((email) => !keyed.has(email))
    .sort();
  const missing = [
    ...(without.length > 0 ? [`no key of ${some(without)}: approvals by them do not count here`] : []),
    ...(silent.length > 0 ? [`no key of ${some(silent)}: what they ask for is not executed here`] : []),
    ...own.flatMap((where) => strictly(where, { keyed, isKeyed })),
  ];
  if (missing.length > 0)
    return warn(`${file} holds ${missing.join('; and ')}.`, {
      without: [...new Set([...without, ...silent])].sort(),
      ...(strict.length > 0 && { withoutOwnKey: strict }),
    });
  return machine('signers', 'ok', {
    message: `Approvals count by ${count(lines.length, 'key')} of ${file}.`,
  });
}

/** Of environments that count only what people sign with their own keys: whose key is that of a server alone, and whether enough are left. */
function strictly(
  { environments, quorum, approvers, askers }: Keyed['own'][number],
  { keyed, isKeyed }: { readonly keyed: ReadonlySet<string>; readonly isKeyed: (email: string) => boolean },
): string[] {
  const isServedAlone = (email: string) => !keyed.has(email) && isKeyed(email);
  const without = approvers.filter(isServedAlone);
  const silent = askers.filter(isServedAlone);
  const left = approvers.filter((email) => keyed.has(email)).length;
  const where = `${some(environments)}, where only own keys count (\`signedBy: person\`)`;
  const said = [
    ...(without.length > 0 ? [`approvals by ${some(without)} do not count`] : []),
    ...(silent.length > 0
      ? [`what ${some(silent)} ${silent.length === 1 ? 'asks' : 'ask'} for is not executed`]
      : []),
    ...(approvers.length > 0 && left < quorum
      ? [
          `the quorum of ${quorum} cannot be reached, as ${left === 0 ? 'no approver has' : `only ${count(left, 'approver')} ${left === 1 ? 'has' : 'have'}`} a key of their own`,
        ]
      : []),
  ];
  return said.length === 0 ? [] : [`too few own keys of people for ${where}: ${said.join(', and ')}`];
}

/** All emails of a person, by one of them. */
const emailsOf = ({ people = [] }: Policy, email: string): readonly string[] =>
  people.find((emails) => emails.some((each) => samePerson(each, email))) ?? [email];

/** The first field of a line, emails between commas. */
const principals = (line: string) =>
  (/^(?:"([^"]*)"|(\S+))/.exec(line)?.slice(1).join('') ?? '').split(',').map(emailKey);

async function isInside(file: string, git: RepositoryReader): Promise<boolean> {
  const real = await realpath(file);
  const folders = [git.worktree, git.directory].filter((folder) => folder !== null);
  const roots = await Promise.all(folders.map((folder) => realpath(folder).catch(() => folder)));
  return roots.some((root) => real.startsWith(`${root}${sep}`));
}

/** `isSigned`: requests have to be signed as well. */
const signingCheck = (signs: boolean, isSigned: boolean): Check =>
  signs
    ? machine('signing', 'ok', {
        message: `${isSigned ? 'Requests and approvals' : 'Approvals'} given here are signed with your SSH key.`,
      })
    : machine('signing', 'ok', {
        message: isSigned
          ? 'Approvals given here are not signed, so they do not count; where they are asked for, nobody can ask here for a rollback either.'
          : 'Approvals given here are not signed, so they do not count.',
        hint: 'git config --global gpg.format ssh; git config --global user.signingKey FILE',
      });
