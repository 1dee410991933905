import { BacktrailError, isFailure, quotePath } from '../../model/index.ts';
import type { BranchEdit, Destination, LedgerFetch, Finding, ObjectId, RefMove } from '../../model/index.ts';
import { ignoredSettings } from '../process/config.ts';
import type { ConfigEntry } from '../process/config.ts';
import { copyObjects } from './copy.ts';
import { shownAddress } from '../process/failure.ts';
import { printable } from '../process/failure.ts';
import { followUp } from './follow.ts';
import { filterFinding } from './local.ts';
import type { LocalRepository } from './local.ts';
import { TRACKING } from '../remote/mirror.ts';
import { isBranchName } from '../store/refs.ts';
import { openRemote } from '../remote/remote.ts';
import type { RemoteOptions, RemoteRepository } from '../remote/remote.ts';
import type { GitRepository } from '../repository.ts';
import type { Runner } from '../process/runner.ts';
import { findBranchPair, isBehind, tipOf } from './branch-pair.ts';
import type { Clone } from './branch-pair.ts';
import { notPushed } from './upstream.ts';
import type { Upstream } from './upstream.ts';
import { overwritten } from './worktree.ts';

/**
 * A user's clone. Its upstream is where the branch lives: everything is read there, through our mirror, and published there.
 * Only then does the local branch follow, if nothing of the user's is in the way. A branch goes by its local name; one that the
 * clone does not have, by its name at the remote.
 */

type CloneOptions = Omit<RemoteOptions, 'url' | 'pushUrl' | 'seed' | 'settings'> & {
  readonly local: LocalRepository;
  readonly branch: string;
};

/** The local repository itself where the branch has no upstream that could be published to. */
export async function openClone(options: CloneOptions): Promise<GitRepository> {
  const { local, branch: opened, transportTimeoutMs: timeoutMs, ...rest } = options;
  const found = await findBranchPair(local, opened);
  if (found === null) return local;
  const { url, pushUrl, remote: name } = found.upstream;
  const seed = (mirror: Runner, branches: readonly string[] | null) =>
    seedFrom({ local, name, mirror, branches, timeoutMs });
  const whole = !local.shallow && !local.partial;
  const settings = await local.config();
  const reaching = <Value>(task: Promise<Value>) =>
    task.catch((error: unknown) => {
      throw withIgnored(error, settings, url);
    });
  const remote = await reaching(
    openRemote({
      ...rest,
      transportTimeoutMs: timeoutMs,
      url,
      pushUrl,
      settings,
      branch: found.upstream.branch,
      countBranches: () => countBranches(local, name, settings),
      ...(whole && { seed }),
    }),
  );
  const pairOf = async (branch: string) => {
    const pair = await findBranchPair(local, branch);
    if (pair?.upstream.url === url) return pair;
    throw new BacktrailError(
      'BRANCH_UNKNOWN',
      `The branch ${branch} does not come from where ${opened} does.`,
      {
        hint: `Check ${branch} out and run it again.`,
      },
    );
  };
  const atRemote = async (branch: string) => (await pairOf(branch)).upstream.branch;
  const clone: Clone = { local, remote, timeoutMs, pairOf };
  return {
    ...remote,
    kind: 'clone',
    // Tags are the user's own; branches are those of the remote.
    history: {
      ...remote.history,
      named: async (name) => ({
        tag: (await local.history.named(name)).tag,
        branch: (await remote.history.named(name)).branch,
      }),
    },
    location: local.location,
    worktree: local.worktree,
    head: () => Promise.resolve({ branch: opened, commit: null }),
    checkedOut: () => local.checkedOut(),
    defaultBranch: () => Promise.resolve(opened),
    tip: async (branch) => tipAt(remote, branch, (await pairOf(branch)).upstream),
    preview: (edit) => preview(clone, edit),
    destination: async (branch) => destination((await pairOf(branch)).upstream),
    publish: (edit) => reaching(publish(clone, edit)),
    propose: (edit) => reaching(remote.propose(edit)),
    followUp: (edit) => followUp(clone, edit),
    readBack: async (branch) => remote.readBack(await atRemote(branch)),
    identity: () => local.identity(),
    ledgerFetch: async (branch) => ledgerFetch(local, (await pairOf(branch)).upstream),
    ledger: {
      ...remote.ledger,
      tip: (ref, how) => reaching(remote.ledger.tip(ref, how)),
      append: (input) => reaching(remote.ledger.append(input)),
      prepare: (input) => reaching(remote.ledger.prepare(input)),
    },
    async close() {
      await Promise.all([local.close(), remote.close()]);
    },
  };
}

const destination = ({ remote, url, pushUrl, branch }: Upstream): Destination => {
  const address = shownAddress(pushUrl ?? url);
  // `git push -u ADDRESS` leaves the address itself for a name.
  return { remote: /[:/]/.test(remote) ? null : printable(remote), address, branch };
};

/** A remote that git alone would reach, with settings that we do not follow: the hint names them. */
function withIgnored(error: unknown, settings: readonly ConfigEntry[], url: string): unknown {
  if (!isFailure(error) || !/^REMOTE_(DENIED|UNAVAILABLE)$/.test(error.code)) return error;
  const ignored = ignoredSettings(settings, url);
  if (ignored.length === 0) return error;
  return new BacktrailError(error.code, error.message, {
    details: error.details,
    hint: printable(
      `The configuration of this clone has ${ignored.join(', ')}, which is not followed here: put it into your own with \`git config --global\`.`,
    ),
    cause: error,
  });
}

const LEDGERS = '+refs/backtrail/*:refs/backtrail/remote/*';

async function ledgerFetch(local: LocalRepository, { remote }: Upstream): Promise<LedgerFetch | null> {
  const entries = await local.config();
  const has = (variable: string, value?: string) =>
    entries.some(
      (entry) =>
        entry.key === `remote.${remote}.${variable}` && (value === undefined || entry.value === value),
    );
  // An upstream may be an address without a name.
  if (!has('url') || has('fetch', LEDGERS)) return null;
  const add = async () =>
    void (await local.runner.run(['config', '--local', '--add', `remote.${remote}.fetch`, LEDGERS]));
  return { remote, add };
}

async function tipAt(remote: RemoteRepository, branch: string, upstream: Upstream): Promise<ObjectId> {
  try {
    return await remote.tip(upstream.branch);
  } catch (error) {
    if (!isFailure(error) || error.code !== 'BRANCH_UNKNOWN') throw error;
    throw new BacktrailError(
      'BRANCH_UNKNOWN',
      `There is no branch ${upstream.branch} at ${shownAddress(upstream.remote)}, where ${branch} of this clone is published.`,
      { hint: 'Push it, or give the branch another upstream: `git branch --set-upstream-to`.', cause: error },
    );
  }
}

async function preview(
  clone: Clone,
  edit: { branch: string; base: ObjectId; paths: readonly string[] },
): Promise<Finding[]> {
  const { branch, base } = edit;
  const { branch: own, upstream } = await clone.pairOf(branch);
  const findings: Finding[] = [];
  if (upstream.branch !== branch)
    findings.push({
      code: 'UPSTREAM_BRANCH',
      severity: 'info',
      message: `${branch} of this clone comes from ${upstream.branch} at ${upstream.remote}: publishing goes there.`,
    });
  if (upstream.others) findings.push(notPushed(branch, upstream.remote, true));
  const here = await tipOf(clone.local, own);
  if (own === null || here === null || edit.paths.length === 0) return findings;
  if (!(await isBehind(clone, here, base)))
    return [
      ...findings,
      {
        code: 'LOCAL_COMMITS',
        severity: 'info',
        message: `${own} of this clone has commits that ${upstream.branch} at ${upstream.remote} does not have: they are no part of the plan, and the local branch will stay where it is.`,
      },
    ];
  const path = await inTheWay(clone, { own, here, next: base, paths: edit.paths }).catch(filterFinding);
  if (path === null) return findings;
  if (typeof path !== 'string') return [...findings, ...path];
  const { code, message, hint } = overwritten(quotePath(path));
  return [...findings, { code, severity: 'block', message, hint, path }];
}

/** A local change that would keep the files from following is said before anything is published. */
async function publish(clone: Clone, edit: BranchEdit): Promise<readonly RefMove[]> {
  const { branch: own, upstream } = await clone.pairOf(edit.branch);
  const here = await tipOf(clone.local, own);
  if (own !== null && here !== null && (await isBehind(clone, here, edit.next))) {
    const path = await inTheWay(clone, { own, here, next: edit.next, paths: [] });
    if (path !== null) throw overwritten(quotePath(path));
  }
  return clone.remote.publish({ ...edit, branch: upstream.branch });
}

async function inTheWay(
  { local, remote }: Clone,
  step: { own: string; here: ObjectId; next: ObjectId; paths: readonly string[] },
): Promise<string | null> {
  const behind = await remote.diffPaths(step.here, step.next);
  return local.overlap(step.own, [...new Set([...behind.map(({ path }) => path), ...step.paths])]);
}

/** How many branches the clone has of its remote; null where it does not fetch all of them. */
async function countBranches(
  { runner }: LocalRepository,
  name: string,
  settings: readonly ConfigEntry[],
): Promise<number | null> {
  const all = `+refs/heads/*:refs/remotes/${name}/*`;
  if (!settings.some(({ key, value }) => key === `remote.${name}.fetch` && value === all)) return null;
  return (await runner.text(['for-each-ref', '--format=x', `refs/remotes/${name}/`])).split('\n').length;
}

/** What the clone has fetched before need not come over the network again. Its refs are stand-ins until the remote's arrive. */
async function seedFrom(call: {
  local: LocalRepository;
  name: string;
  mirror: Runner;
  /** null: all. */
  branches: readonly string[] | null;
  timeoutMs: number;
}): Promise<void> {
  const { local, name, mirror, branches, timeoutMs } = call;
  if (!isBranchName(name)) return;
  const prefix = `refs/remotes/${name}/`;
  const format = '--format=%(objecttype) %(objectname) %(refname) %(symref)';
  const listed = await local.runner.text(['for-each-ref', format, prefix]);
  const refs = listed.split('\n').flatMap((line) => {
    const [type, id, ref, symref] = line.split(' ');
    const branch = ref?.slice(prefix.length) ?? '';
    const isWanted = branches === null || branches.includes(branch);
    return type === 'commit' && id !== undefined && symref === '' && isBranchName(branch) && isWanted
      ? [{ id, branch }]
      : [];
  });
  if (refs.length === 0) return;
  const wanted = [...new Set(refs.map(({ id }) => id))];
  await copyObjects({ from: local.runner, to: mirror, wanted, known: [], timeoutMs });
  const lines = refs.map(({ id, branch }) => `create ${TRACKING}/${branch} ${id}\n`);
  await mirror.run(['update-ref', '--stdin'], { input: lines.join('') });
}
