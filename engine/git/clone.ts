import { BacktrailError, isFailure, quotePath } from '../model/index.ts';
import type { Finding, ObjectId } from '../model/index.ts';
import { copyObjects, hasObject, isConnected } from './copy.ts';
import { printable } from './failure.ts';
import type { LocalRepository } from './local.ts';
import { TRACKING } from './mirror.ts';
import { isBranchName, readRef, updateRefs } from './refs.ts';
import { openRemote } from './remote.ts';
import type { RemoteOptions, RemoteRepository } from './remote.ts';
import type { BranchEdit, GitRepository } from './repository.ts';
import type { Runner } from './runner.ts';
import { notPushed, trackedBy, upstreamOfAbsent } from './upstream.ts';
import type { Tracked, Upstream } from './upstream.ts';
import { overwritten } from './worktree.ts';

/**
 * A user's clone. Its upstream is where the branch lives: everything is read there, through our mirror, and published there.
 * Only then does the local branch follow, if nothing of the user's is in the way. A branch goes by its local name; one that the
 * clone does not have, by its name at the remote.
 */

/** One branch on its two sides. */
interface Sides {
  /** The local branch; null where the clone has none. */
  readonly branch: string | null;
  readonly upstream: Upstream;
}

interface Clone {
  readonly local: LocalRepository;
  readonly remote: RemoteRepository;
  readonly timeoutMs: number;
  sidesOf(branch: string): Promise<Sides>;
}

type CloneOptions = Omit<RemoteOptions, 'url' | 'pushUrl' | 'seed'> & {
  readonly local: LocalRepository;
  readonly branch: string;
};

/** The local repository itself where the branch has no upstream that could be published to. */
export async function openClone(options: CloneOptions): Promise<GitRepository> {
  const { local, branch: opened, transportTimeoutMs: timeoutMs, ...rest } = options;
  const found = await findSides(local, opened);
  if (found === null) return local;
  const { url, pushUrl, remote: name } = found.upstream;
  const seed = (mirror: Runner) => seedFrom({ local, name, mirror, timeoutMs });
  const whole = !local.shallow && !local.partial;
  const remote = await openRemote({
    ...rest,
    transportTimeoutMs: timeoutMs,
    url,
    pushUrl,
    ...(whole && { seed }),
  });
  const sidesOf = async (branch: string) => {
    const sides = await findSides(local, branch);
    if (sides?.upstream.url === url) return sides;
    throw new BacktrailError(
      'BRANCH_UNKNOWN',
      `The branch ${branch} does not come from where ${opened} does.`,
      {
        hint: `Check ${branch} out and run it again.`,
      },
    );
  };
  const atRemote = async (branch: string) => (await sidesOf(branch)).upstream.branch;
  const clone: Clone = { local, remote, timeoutMs, sidesOf };
  return {
    ...remote,
    kind: 'clone',
    location: local.location,
    worktree: local.worktree,
    head: () => Promise.resolve({ branch: opened, commit: null }),
    defaultBranch: () => Promise.resolve(opened),
    tip: async (branch) => tipAt(remote, branch, (await sidesOf(branch)).upstream),
    preview: (edit) => preview(clone, edit),
    publish: (edit) => publish(clone, edit),
    followUp: (edit) => followUp(clone, edit),
    readBack: async (branch) => remote.readBack(await atRemote(branch)),
    identity: () => local.identity(),
    async close() {
      await Promise.all([local.close(), remote.close()]);
    },
  };
}

async function tipAt(remote: RemoteRepository, branch: string, upstream: Upstream): Promise<ObjectId> {
  try {
    return await remote.tip(upstream.branch);
  } catch (error) {
    if (!isFailure(error) || error.code !== 'BRANCH_UNKNOWN') throw error;
    throw new BacktrailError(
      'BRANCH_UNKNOWN',
      `There is no branch ${upstream.branch} at ${printable(upstream.remote)}, where ${branch} of this clone is published.`,
      { hint: 'Push it, or give the branch another upstream: `git branch --set-upstream-to`.', cause: error },
    );
  }
}

/** Configuration and branches are looked at anew each time: they are the user's to change. */
async function findSides(local: LocalRepository, branch: string): Promise<Sides | null> {
  const place = { entries: await local.config(), folder: local.worktree ?? local.directory };
  const head = await local.head().catch(() => null);
  if (head?.branch === branch || (await tipOf(local, branch)) !== null)
    return sides(branch, await trackedBy(place, branch));
  const standing = head?.branch ?? null;
  const beside = standing === null ? null : await trackedBy(place, standing);
  const found = sides(null, await upstreamOfAbsent(place, branch, beside?.remote));
  return beside?.branch === branch && found !== null ? { ...found, branch: standing } : found;
}

const sides = (branch: string | null, tracked: Tracked): Sides | null =>
  tracked === null || tracked.branch === null ? null : { branch, upstream: tracked };

async function tipOf(local: LocalRepository, branch: string | null): Promise<ObjectId | null> {
  return branch === null ? null : readRef({ ...local, ref: `refs/heads/${branch}` });
}

async function preview(
  clone: Clone,
  edit: { branch: string; base: ObjectId; paths: readonly string[] },
): Promise<Finding[]> {
  const { branch, base } = edit;
  const { branch: own, upstream } = await clone.sidesOf(branch);
  const findings: Finding[] = [];
  if (upstream.branch !== branch)
    findings.push({
      code: 'UPSTREAM_BRANCH',
      severity: 'info',
      message: `${branch} of this clone comes from ${upstream.branch} at ${upstream.remote}: the rollback is published there.`,
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
  const path = await inTheWay(clone, { own, here, next: base, paths: edit.paths });
  if (path === null) return findings;
  const { code, message, hint } = overwritten(quotePath(path));
  return [...findings, { code, severity: 'block', message, hint, path }];
}

/** A local change that would keep the files from following is said before anything is published. */
async function publish(clone: Clone, edit: BranchEdit): Promise<void> {
  const { branch: own, upstream } = await clone.sidesOf(edit.branch);
  const here = await tipOf(clone.local, own);
  if (own !== null && here !== null && (await isBehind(clone, here, edit.next))) {
    const path = await inTheWay(clone, { own, here, next: edit.next, paths: [] });
    if (path !== null) throw overwritten(quotePath(path));
  }
  await clone.remote.publish({ ...edit, branch: upstream.branch });
}

async function inTheWay(
  { local, remote }: Clone,
  step: { own: string; here: ObjectId; next: ObjectId; paths: readonly string[] },
): Promise<string | null> {
  const behind = await remote.diffPaths(step.here, step.next);
  return local.overlap(step.own, [...new Set([...behind.map(({ path }) => path), ...step.paths])]);
}

/** Can the local commit be moved on to that one? Our mirror knows every commit of the remote. */
async function isBehind({ remote }: Clone, here: ObjectId, next: ObjectId): Promise<boolean> {
  return here === next || ((await hasObject(remote.runner, here)) && remote.isAncestor(here, next));
}

async function followUp(clone: Clone, edit: { branch: string; next: ObjectId }): Promise<Finding[]> {
  const { branch, next } = edit;
  const found: { own: string; others: Finding[] } = { own: branch, others: [] };
  try {
    const { branch: own, upstream } = await clone.sidesOf(branch);
    found.own = own ?? branch;
    if (upstream.others) found.others.push(notPushed(branch, upstream.remote, true));
    const here = await tipOf(clone.local, own);
    if (!(await bringHome(clone, { own, here, next, upstream })))
      return [
        ...found.others,
        stays(found.own, LACKS, `\`git pull --rebase\` on ${found.own} brings both together.`),
      ];
    return found.others;
  } catch (error) {
    return [...found.others, stoppedBy(error, found.own, next)];
  }
}

const LACKS = 'it has commits that its upstream does not have';

/** Objects first, then the tracking ref, as a push of git moves it, then the local branch. False where that has a way of its own. */
async function bringHome(
  clone: Clone,
  step: { own: string | null; here: ObjectId | null; next: ObjectId; upstream: Upstream },
): Promise<boolean> {
  const { local, remote, timeoutMs } = clone;
  const { own, here, next } = step;
  const tracking = await trackingRef(local, own, step.upstream);
  const tracked = tracking === null ? null : await readRef({ ...local, ref: tracking });
  const isKnown = async (id: ObjectId | null) => id !== null && (await isBehind(clone, id, next));
  const [move, track] = [await isKnown(here), await isKnown(tracked)];
  const known = [...(move ? [here] : []), ...(track ? [tracked] : [])].filter((id) => id !== null);
  if (known.length > 0 && !(await hasObject(local.runner, next))) {
    await copyObjects({ from: remote.runner, to: local.runner, wanted: [next], known, timeoutMs });
    if (!(await isConnected(local.runner, next)))
      throw new BacktrailError('OBJECT_MISSING', 'this clone lacks commits in between');
  }
  if (tracking !== null && tracked !== null && track && tracked !== next)
    // A fetch that the user runs at this moment may have moved it.
    await updateRefs(local.runner, [{ ref: tracking, expected: tracked, next }]).catch(() => undefined);
  if (own === null || here === null || here === next) return true;
  if (!move) return (await hasObject(local.runner, next)) && local.isAncestor(next, here);
  await local.publish({ branch: own, expected: here, next });
  return true;
}

/** The ref that a fetch of the user's would move; never one outside `refs/remotes/`, whatever the configuration maps it to. */
async function trackingRef(
  local: LocalRepository,
  own: string | null,
  { remote, branch }: Upstream,
): Promise<string | null> {
  const format = ['for-each-ref', '--format=%(upstream)'];
  const ref =
    own === null
      ? `refs/remotes/${remote}/${branch}`
      : await local.runner.text([...format, `refs/heads/${own}`]);
  return ref.startsWith('refs/remotes/') && isBranchName(ref) ? ref : null;
}

function stoppedBy(error: unknown, own: string, next: ObjectId): Finding {
  const message = error instanceof Error ? error.message : String(error);
  const follow = `merge --ff-only ${next.slice(0, 12)}`;
  const worktree = isFailure(error) ? error.details['worktree'] : undefined;
  if (typeof worktree === 'string')
    return stays(own, `it is checked out in ${worktree}`, `\`git -C ${quoted(worktree)} ${follow}\``);
  return stays(own, message, `Run \`git pull --ff-only\` on ${own} when that is out of the way.`);
}

function stays(own: string, why: string, hint: string): Finding {
  return {
    code: 'LOCAL_NOT_UPDATED',
    severity: 'warn',
    message: printable(
      `The rollback is published, but ${own} of this clone stays where it is: ${why.replace(/\.$/, '')}.`,
    ),
    hint: printable(hint),
  };
}

const quoted = (path: string) =>
  /^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;

/** What the clone has fetched before need not come over the network again. Its refs are stand-ins until the remote's arrive. */
async function seedFrom(call: {
  local: LocalRepository;
  name: string;
  mirror: Runner;
  timeoutMs: number;
}): Promise<void> {
  const { local, name, mirror, timeoutMs } = call;
  if (!isBranchName(name)) return;
  const prefix = `refs/remotes/${name}/`;
  const format = '--format=%(objecttype) %(objectname) %(refname) %(symref)';
  const listed = await local.runner.text(['for-each-ref', format, prefix]);
  const refs = listed.split('\n').flatMap((line) => {
    const [type, id, ref, symref] = line.split(' ');
    const branch = ref?.slice(prefix.length) ?? '';
    return type === 'commit' && id !== undefined && symref === '' && isBranchName(branch)
      ? [{ id, branch }]
      : [];
  });
  if (refs.length === 0) return;
  const wanted = [...new Set(refs.map(({ id }) => id))];
  await copyObjects({ from: local.runner, to: mirror, wanted, known: [], timeoutMs });
  const lines = refs.map(({ id, branch }) => `create ${TRACKING}/${branch} ${id}\n`);
  await mirror.run(['update-ref', '--stdin'], { input: lines.join('') });
}
