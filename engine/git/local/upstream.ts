import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BacktrailError, FAILURES, shellWord } from '../../model/index.ts';
import type { Finding } from '../../model/index.ts';
import { configValue, hostileScope } from '../process/config.ts';
import type { ConfigEntry } from '../process/config.ts';
import { printable, shownAddress } from '../process/failure.ts';
import { checkedAddress } from '../remote/location.ts';
import { isBranchName } from '../store/refs.ts';

/** Where the branches of a clone come from and go to. Only addresses are taken from its configuration, nothing that could run. */

export interface Upstream {
  /** The name of the branch at the remote: not always that of the local one. */
  readonly branch: string;
  /** As `branch.NAME.remote` has it: a name, or an address. */
  readonly remote: string;
  /** What git fetches from, as configured: the user's own `insteadOf` still applies. May hold a password. */
  readonly url: string;
  /** What git pushes to where that is another address. */
  readonly pushUrl: string | null;
  /** A push of git would go to further addresses. */
  readonly others: boolean;
}

/** What the configuration says about a branch: nothing, something that no branch can be published to, or an upstream. */
export type Tracked = Upstream | { readonly branch: null; readonly remote: string } | null;

interface UpstreamContext {
  readonly entries: readonly ConfigEntry[];
  /** Relative addresses begin here. */
  readonly folder: string;
  /** What came with the clone: a repository in it could bring hooks along, which git would run. */
  readonly own?: readonly string[];
}

/** `.`, another branch of the same repository, is no upstream. REPOSITORY_UNKNOWN for an address that git must not follow. */
export async function trackedBy(context: UpstreamContext, branch: string): Promise<Tracked> {
  const remote = configValue(context.entries, `branch.${branch}.remote`);
  const ref = configValue(context.entries, `branch.${branch}.merge`);
  if (remote === null || ref === null || remote === '.') return null;
  return upstreamAt(context, remote, ref);
}

/** The upstream of a branch that the clone does not have: of that name at its only remote, or at `origin`. */
export async function upstreamOfAbsent(
  context: UpstreamContext,
  branch: string,
  remote?: string,
): Promise<Tracked> {
  const names = remoteNames(context.entries);
  const only = names.length === 1 ? names[0] : names.find((name) => name === 'origin');
  const chosen = remote ?? only;
  return chosen === undefined ? null : upstreamAt(context, chosen, `refs/heads/${branch}`);
}

async function upstreamAt(context: UpstreamContext, remote: string, ref: string): Promise<Tracked> {
  const { entries } = context;
  const named = values(entries, `remote.${remote}.url`);
  // `git push -u ADDRESS` leaves the address itself.
  const urls = named.length > 0 || !/[:/]/.test(remote) ? named : [remote];
  const [url] = urls;
  if (url === undefined) return null;
  const pushes = values(entries, `remote.${remote}.pushurl`);
  const [pushUrl] = pushes;
  const branch = ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : '';
  const address = await addressOf(url, context);
  const pushAddress = pushUrl === undefined ? address : await addressOf(pushUrl, context);
  if (address === null || pushAddress === null || !isBranchName(branch)) return { branch: null, remote };
  return {
    branch,
    remote,
    url: address,
    pushUrl: pushAddress === address ? null : pushAddress,
    others: (pushes.length > 0 ? pushes : urls).length > 1,
  };
}

/** All values of a key; an empty one begins the list anew. */
function values(entries: readonly ConfigEntry[], key: string): string[] {
  const all = entries.filter((entry) => entry.key === key).map(({ value }) => value ?? '');
  return all.slice(all.lastIndexOf('') + 1);
}

/** The address that git may be given; null for a file: a bundle can be fetched from, but not pushed to. */
async function addressOf(
  text: string,
  { entries, folder, own = [] }: UpstreamContext,
): Promise<string | null> {
  const meant = rewritten(entries, text);
  if (meant === '' || meant.startsWith('-') || CONTROL.test(meant)) throw refused(text);
  const path = localPath(meant);
  if (path === null) {
    try {
      checkedAddress(meant);
    } catch (cause) {
      throw refused(text, cause);
    }
    return text;
  }
  const absolute = isAbsolute(path) ? path : resolve(folder, path);
  if ((await stat(absolute).catch(() => null))?.isFile() === true) return null;
  if (await isWithin(absolute, [folder, ...own])) throw inside(text);
  return meant.startsWith('file:') ? text : absolute;
}

/** Wherever links lead; git also takes `x` for `x.git`. */
async function isWithin(path: string, folders: readonly string[]): Promise<boolean> {
  const real = (each: string) => realpath(each).catch(() => resolve(each));
  const paths = await Promise.all([path, `${path}.git`, `${path}/.git`].map(real));
  const roots = await Promise.all(folders.map(real));
  return roots.some((root) => paths.some((each) => each === root || each.startsWith(`${root}/`)));
}

function inside(address: string): BacktrailError {
  const shown = JSON.stringify(shownAddress(address).slice(0, 300));
  return new BacktrailError(
    'REPOSITORY_UNTRUSTED',
    `The upstream ${shown} lies within the clone itself, so that its hooks would run here.`,
    { hint: 'Name the remote with --repo URL, or `git branch --unset-upstream` to work on the clone alone.' },
  );
}

/** As git has it, a colon makes an address unless a slash comes first. */
function localPath(text: string): string | null {
  if (/^file:\/\/\//i.test(text)) {
    try {
      return fileURLToPath(text);
    } catch {
      return null;
    }
  }
  return /^[^/]*:/.test(text) ? null : text;
}

/** `url.BASE.insteadOf` of whoever runs us, the longest first; git itself applies it again when it fetches. */
function rewritten(entries: readonly ConfigEntry[], text: string): string {
  let [best, base] = ['', ''];
  for (const entry of entries) {
    const name = hostileScope(entry) ? undefined : /^url\.(.*)\.insteadof$/s.exec(entry.key)?.[1];
    const { value } = entry;
    if (name === undefined || value === null || !text.startsWith(value) || value.length <= best.length)
      continue;
    [best, base] = [value, name];
  }
  return `${base}${text.slice(best.length)}`;
}

const CONTROL = /\p{Cc}/u;

function refused(address: string, cause?: unknown): BacktrailError {
  const why = CONTROL.test(address) ? ': control characters such as line breaks are not allowed in it' : '';
  const shown = JSON.stringify(shownAddress(address).slice(0, 300));
  return new BacktrailError(
    'REPOSITORY_UNKNOWN',
    `The upstream ${shown} is not an address that git may follow here${why}.`,
    {
      hint: 'Name the remote with --repo URL, or `git branch --unset-upstream` to work on the clone alone.',
      cause,
    },
  );
}

/** What to know of a clone that is worked on alone, as if it had no upstream. */
export async function aloneWith(context: UpstreamContext, branch: string): Promise<Finding[]> {
  const tracked = await trackedBy(context, branch).catch(() => undefined);
  if (tracked === undefined) return [];
  if (tracked === null) return withoutUpstream(context, branch);
  if (tracked.branch === null) return [notPushed(branch, tracked.remote, false)];
  return [
    {
      code: 'UPSTREAM_NOT_READ',
      severity: 'warn',
      message: `This is what the clone holds; ${tracked.branch} at ${tracked.remote}, which its ${branch} comes from, was not read.`,
    },
  ];
}

/** REPOSITORY_MIRRORS where the next fetch would replace what is published here by what the remote has. */
export async function requireLasting(context: UpstreamContext, branch: string): Promise<void> {
  const finding = (await aloneWith(context, branch)).find(({ severity }) => severity === 'block');
  if (finding !== undefined) throw new BacktrailError('REPOSITORY_MIRRORS', finding.message);
}

/** The same for a ref that is no branch with an upstream. */
export function requireLastingRef(entries: readonly ConfigEntry[], ref: string): void {
  const source = mirrored(entries, ref);
  if (source === undefined) return;
  const message = `This repository mirrors ${source}: its next fetch would take away again what is written to ${ref} here.`;
  throw new BacktrailError('REPOSITORY_MIRRORS', printable(message));
}

/** The remote whose fetches overwrite a ref. */
const mirrored = (entries: readonly ConfigEntry[], ref: string) =>
  remoteNames(entries).find((name) =>
    values(entries, `remote.${name}.fetch`).some((refspec) => overwrites(refspec, ref)),
  );

function withoutUpstream({ entries }: UpstreamContext, branch: string): Finding[] {
  const names = remoteNames(entries);
  const source = mirrored(entries, `refs/heads/${branch}`);
  if (source !== undefined)
    return [
      {
        code: 'REPOSITORY_MIRRORS',
        severity: 'block',
        message: `This repository mirrors ${source}: its next fetch would take away again what is published on ${branch} here.`,
        hint: FAILURES.REPOSITORY_MIRRORS.hint,
      },
    ];
  const remote = names.includes('origin') ? 'origin' : names[0];
  if (remote === undefined) return [];
  const push = `git push -u ${shellWord(remote)} ${shellWord(branch)}`;
  return [
    {
      code: 'UPSTREAM_NOT_UPDATED',
      severity: 'warn',
      message: `What is published on ${branch} stays in this repository: the branch has no upstream at ${remote}.`,
      hint: `\`${push}\` brings it there, and makes that the upstream: later rollbacks are published there first.`,
    },
  ];
}

const remoteNames = (entries: readonly ConfigEntry[]) => [
  ...new Set(entries.flatMap(({ key }) => /^remote\.(.+)\.url$/s.exec(key)?.[1] ?? [])),
];

/** `+refs/*:refs/*` of a mirror; without the plus, git fetches only what goes on from what is there. */
function overwrites(refspec: string, ref: string): boolean {
  const target = /^\+[^:]*:(.+)$/s.exec(refspec)?.[1];
  if (target === undefined) return false;
  const [before = '', after] = target.split('*');
  return after === undefined ? target === ref : ref.startsWith(before) && ref.endsWith(after);
}

/** A rollback that does not reach everything that the branch is pushed to. */
export function notPushed(branch: string, remote: string, others: boolean): Finding {
  return {
    code: 'UPSTREAM_NOT_UPDATED',
    severity: 'warn',
    message: others
      ? `Publishing goes to the first address of ${remote} only; a push of git goes to all of them.`
      : `Publishing moves ${branch} of this clone only: its upstream at ${remote} takes no push to a branch.`,
    hint: others
      ? `Run \`git push ${shellWord(remote)} ${shellWord(branch)}\` afterwards.`
      : 'Bring it to where others read it from, or name that with --repo URL.',
  };
}
