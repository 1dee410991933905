/** Merges as the hosts make them: real commits by each method, with the host's own messages where nobody gives one. */
import type { HostKind, MergeMethod } from '../../../../../engine/model/index.ts';
import { type Described, gitea, github, gitlab, joined, type Text } from './messages.ts';
import { type Pull, Refusal, type Store } from '../pulls.ts';
import type { HostCommit, Repository, Signature } from './repository.ts';
import type { HostSettings } from '../settings.ts';

export interface MergeRequest {
  /** The account that merges, by its name on the host. */
  readonly by: string;
  readonly method: MergeMethod;
  readonly title?: string | undefined;
  readonly message?: string | undefined;
  /** Merged only while the branch is there. */
  readonly head?: string | undefined;
  /** Past the rules, as an administrator may. */
  readonly force?: boolean;
  /** Who looked at the page before: the host knows by then whether it merges. */
  readonly isPerson?: boolean;
  /** The queue itself. */
  readonly isQueue?: boolean;
  /** GitLab: squashed first, whatever the project's way of merging. */
  readonly squash?: boolean | undefined;
  /** GitLab: the whole message of the one commit and of the other. */
  readonly mergeText?: string | undefined;
  readonly squashText?: string | undefined;
}

/** Accounts of the host have a mail address there. */
const identityOf = (name: string): Signature => ({ name, email: `${name}@users.noreply.localhost` });

const KEEPERS: Readonly<Record<HostKind, Signature | null>> = {
  github: { name: 'GitHub', email: 'noreply@github.com' },
  gitlab: null,
  gitea: null,
};

/** Where the branch is to go, and the commits that the host names: a fast-forward has no merge. */
interface Made {
  readonly tip: string;
  readonly merge: string | null;
  readonly squash?: string;
}

const whole = (text: string | undefined) => (text === undefined ? undefined : { title: text, message: '' });

export function createMerger(context: {
  kind: HostKind;
  repository: Repository;
  settings: HostSettings;
  store: Store;
  describe: (pull: Pull) => Described;
}) {
  const { kind, repository, settings, store, describe } = context;

  async function checkAllowed(pull: Pull, request: MergeRequest): Promise<void> {
    if (pull.state !== 'open') throw new Refusal('not-open');
    if (request.head !== undefined && request.head !== pull.head) throw new Refusal('moved', pull.head);
    if (settings.queue !== null && !request.isQueue) throw new Refusal('queue');
    if (kind !== 'gitlab' && !settings.methods.includes(request.method))
      throw new Refusal('method', request.method);
    // GitHub works it out when it is asked to merge; the others refuse until they know.
    const verdict = await store.verdict(pull, { isKnown: kind === 'github' || request.isPerson === true });
    if (verdict === 'conflict' || verdict === 'draft' || verdict === 'unknown') throw new Refusal(verdict);
    const isPast = request.force === true || settings.mayBypass;
    if (!isPast && (verdict === 'blocked' || verdict === 'behind')) throw new Refusal('rules', verdict);
  }

  const signature = (by: string) => KEEPERS[kind] ?? identityOf(by);
  const textOf = (own: Text, { title, message }: MergeRequest): string =>
    joined({
      title: title === undefined || title === '' ? own.title : title,
      message: message ?? (kind === 'gitea' && title ? '' : own.message),
    });

  /** A commit of two parents. */
  async function mergeCommit(pull: Pull, theirs: string, request: MergeRequest): Promise<string> {
    const tree = await treeOfMerge(pull.base, theirs);
    const own = { github: github.merge, gitlab: gitlab.merge, gitea: gitea.merge }[kind];
    return repository.write({
      tree,
      parents: [pull.base, theirs],
      author: identityOf(request.by),
      committer: signature(request.by),
      message: textOf(own(describe(pull), settings), request),
      isSigned: kind === 'github',
    });
  }

  async function treeOfMerge(base: string, theirs: string): Promise<string> {
    const tree = await repository.mergedTree(base, theirs);
    if (tree === null) throw new Refusal('conflict');
    return tree;
  }

  /** One commit with everything; of the account that opened the pull request. */
  async function squash(pull: Pull, onto: string, request: MergeRequest): Promise<string> {
    const commits = await repository.commits(pull.base, pull.head);
    const author = identityOf(pull.author);
    return repository.write({
      tree: await treeOfMerge(onto, pull.head),
      parents: [onto],
      author,
      committer: signature(request.by),
      message: squashMessage(pull, commits, request),
      isSigned: kind === 'github',
    });
  }

  function squashMessage(pull: Pull, commits: readonly HostCommit[], request: MergeRequest): string {
    const [described, author] = [describe(pull), identityOf(pull.author)];
    if (kind === 'github') return textOf(github.squash(described, settings, commits, author), request);
    if (kind === 'gitlab') return textOf(gitlab.squash(described), request);
    const trailers = gitea.trailers(commits, author);
    const text = textOf(gitea.squash(described), request);
    return trailers === '' ? text : `${text}\n\n---------\n\n${trailers}`;
  }

  /** New commits with the old messages, by whoever merges, and unsigned: on GitHub also where they lie on the base already. */
  async function rebase(pull: Pull, request: MergeRequest): Promise<string> {
    if (kind === 'gitea' && (await repository.holds(pull.head, pull.base))) return pull.head;
    let onto = pull.base;
    for (const commit of await repository.commits(pull.base, pull.head)) {
      const tree = await repository.pickedTree(commit, onto);
      if (tree === null) throw new Refusal('conflict', 'rebase');
      const { author, message } = commit;
      const committer = identityOf(request.by);
      onto = await repository.write({ tree, parents: [onto], author, committer, message });
    }
    return onto;
  }

  async function byMethod(pull: Pull, request: MergeRequest): Promise<Made> {
    const make = { merge: () => mergeCommit(pull, pull.head, request), rebase: () => rebase(pull, request) };
    const squashed = () => squash(pull, pull.base, request);
    const tip = await (request.method === 'squash' ? squashed() : make[request.method]());
    return { tip, merge: tip };
  }

  /** A merge commit, or a fast-forward; with a squash, both of one commit that lies where the branch began. */
  async function byProject(pull: Pull, request: MergeRequest): Promise<Made> {
    const { projectMerge, projectSquash } = settings;
    const isUpToDate = await repository.holds(pull.head, pull.base);
    if (projectMerge !== 'merge' && !isUpToDate) throw new Refusal('rules', 'need_rebase');
    if (request.squash === true && projectSquash === 'never') throw new Refusal('method', 'squash');
    const asked = request.squash ?? (request.method === 'squash' || projectSquash === 'default_on');
    const isSquashed = projectSquash === 'always' || (asked && projectSquash !== 'never');
    const { title, message, mergeText, squashText, ...rest } = request;
    const given = { title, message };
    const start = isSquashed ? await repository.mergeBase(pull.base, pull.head) : '';
    const own = isSquashed
      ? await squash(pull, start, { ...rest, ...(whole(squashText) ?? given) })
      : undefined;
    const squashed = own === undefined ? {} : { squash: own };
    const theirs = own ?? pull.head;
    if (projectMerge === 'ff') return { tip: theirs, merge: null, ...squashed };
    // What a person types is the squash's text: a merge has its own then.
    const text = whole(mergeText) ?? (isSquashed ? {} : given);
    const merge = await mergeCommit(pull, theirs, { ...rest, ...text });
    return { tip: merge, merge, ...squashed };
  }

  return async function merge(number: number, request: MergeRequest): Promise<Pull> {
    await store.sync();
    const pull = store.get(number);
    await checkAllowed(pull, request);
    const made = kind === 'gitlab' ? await byProject(pull, request) : await byMethod(pull, request);
    await repository.move(pull.into, made.tip, pull.base);
    store.merged(pull, request.by, made);
    if (settings.deleteBranchOnMerge) await repository.move(pull.branch, null, pull.head);
    await store.sync();
    return pull;
  };
}
