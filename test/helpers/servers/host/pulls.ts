/** What the host knows of pull requests: in memory, while the branches of the repository decide where their heads are. */
import type { HostKind, HostReview, MergeMethod } from '../../../../engine/model/index.ts';
import { isProtected } from './repository/protection.ts';
import type { Repository } from './repository/repository.ts';
import type { HostSettings } from './settings.ts';

export interface Pull {
  readonly number: number;
  readonly author: string;
  readonly branch: string;
  title: string;
  body: string;
  into: string;
  labels: string[];
  /** Where the branch was last; stays where it was once the pull request is closed. */
  head: string;
  /** Where the branch that it is for was last. */
  base: string;
  state: 'open' | 'closed' | 'merged';
  isDraft: boolean;
  readonly createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  mergedAt: string | null;
  mergedBy: string | null;
  mergeCommit: string | null;
  squashCommit: string | null;
  reviews: (HostReview & { readonly id: number; readonly commit: string })[];
  /** GitHub: merges by itself once it may; it stays on whoever pushes. Here it is only remembered. */
  autoMerge: MergeMethod | null;
  /** Looks at the details since its head or base moved. */
  looks: number;
}

export interface Check {
  readonly name: string;
  readonly state: 'pending' | 'passed' | 'failed';
  /** GitHub: as a status of the commit, in place of a check run. */
  readonly isStatus: boolean;
}

/** What the host says of merging it now. */
export type Verdict = 'clean' | 'unstable' | 'blocked' | 'behind' | 'conflict' | 'draft' | 'unknown';

/** Why the host does not do what was asked; each dialect has its own status and words for it. */
export class Refusal extends Error {
  readonly reason: RefusalReason;
  /** What a dialect needs for its words: the number of the other, the name of the method, the rule. */
  readonly detail: string;
  constructor(reason: RefusalReason, detail = '') {
    super(`The host refuses: ${[reason, detail].filter((text) => text !== '').join(', ')}.`);
    [this.reason, this.detail] = [reason, detail];
  }
}
export type RefusalReason =
  | 'exists'
  | 'no-branch'
  | 'no-commits'
  | 'no-drafts'
  | 'merged'
  | 'not-open'
  | 'lost'
  | 'moved'
  | 'method'
  | 'rules'
  | 'conflict'
  | 'queue'
  | 'draft'
  | 'unknown'
  | 'no-such';

export type Store = ReturnType<typeof createStore>;

export function createStore(options: { kind: HostKind; repository: Repository; settings: HostSettings }) {
  const { kind, repository, settings } = options;
  const pulls: Pull[] = [];
  const checks = new Map<string, Check[]>();
  const tried = new Map<string, boolean>();
  let [last, reviews] = [0, 0];

  /** In whole seconds as hosts tell it, and never the same twice: no test is to depend on speed. */
  function now(): string {
    last = Math.max(Math.floor(Date.now() / 1000), last + 1);
    return new Date(last * 1000).toISOString().replace('.000Z', 'Z');
  }
  /** Tried once for each pair of commits. */
  async function conflicts({ base, head }: Pull): Promise<boolean> {
    const known = tried.get(base + head) ?? (await repository.mergedTree(base, head)) === null;
    tried.set(base + head, known);
    return known;
  }

  function startWorkflows({ author, head }: Pull): void {
    if (author === 'github-actions[bot]' || checks.has(head)) return;
    const started = settings.workflows.map((name) => ({ name, state: 'pending' as const, isStatus: false }));
    if (started.length > 0) checks.set(head, started);
  }

  const touch = (pull: Pull) => (pull.updatedAt = now());

  function get(number: number): Pull {
    const found = pulls.find((pull) => pull.number === number);
    if (found === undefined) throw new Refusal('no-such');
    return found;
  }

  function end(pull: Pull, state: 'closed' | 'merged'): void {
    pull.state = state;
    pull.closedAt = touch(pull);
  }

  function merged(pull: Pull, by: string | null, commits: { merge: string | null; squash?: string }): void {
    end(pull, 'merged');
    [pull.mergedAt, pull.mergedBy, pull.mergeCommit] = [pull.updatedAt, by, commits.merge];
    pull.squashCommit = commits.squash ?? null;
  }

  /** Looks where the branches are: pushes, deletions, and merges that somebody pushed. */
  async function sync(): Promise<Map<string, string>> {
    const heads = await repository.heads();
    for (const pull of pulls) {
      const [head, base] = [heads.get(pull.branch), heads.get(pull.into)];
      if (pull.state !== 'open') continue;
      if (head === undefined || base === undefined) {
        end(pull, 'closed');
        continue;
      }
      if (head !== pull.head) moved(pull, head);
      if (base === pull.base) continue;
      [pull.base, pull.looks] = [base, 0];
      if (await repository.holds(base, head)) merged(pull, null, { merge: base });
    }
    return heads;
  }

  function moved(pull: Pull, head: string): void {
    [pull.head, pull.looks] = [head, 0];
    startWorkflows(pull);
    if (settings.dismissStaleReviews)
      pull.reviews = pull.reviews.map((review) =>
        review.state === 'approved' ? { ...review, state: 'dismissed' } : review,
      );
    touch(pull);
  }

  return {
    pulls,
    get,
    sync,
    touch,
    merged,
    checksOf: (commit: string): readonly Check[] => checks.get(commit) ?? [],
    setChecks: (commit: string, of: readonly Check[]) => checks.set(commit, [...of]),

    async create(input: {
      branch: string;
      into: string;
      title: string;
      body: string;
      author: string;
      isDraft: boolean;
    }): Promise<Pull> {
      const heads = await sync();
      const { branch, into } = input;
      const [head, base] = [heads.get(branch), heads.get(into)];
      if (head === undefined) throw new Refusal('no-branch', 'head');
      if (base === undefined) throw new Refusal('no-branch', 'base');
      const other = pulls.find(
        (pull) => pull.state === 'open' && pull.branch === branch && pull.into === into,
      );
      if (other !== undefined) throw new Refusal('exists', String(other.number));
      if (await repository.holds(base, head)) throw new Refusal('no-commits', `${into} and ${branch}`);
      if (input.isDraft && kind === 'github' && !settings.drafts) throw new Refusal('no-drafts');
      const at = now();
      const pull: Pull = {
        ...input,
        isDraft: kind === 'github' ? input.isDraft : isDraftTitle(kind, input.title),
        number: pulls.length + 1,
        labels: [],
        head,
        base,
        state: 'open',
        createdAt: at,
        updatedAt: at,
        closedAt: null,
        mergedAt: null,
        mergedBy: null,
        mergeCommit: null,
        squashCommit: null,
        reviews: [],
        autoMerge: null,
        looks: 0,
      };
      pulls.push(pull);
      startWorkflows(pull);
      return pull;
    },

    close(pull: Pull): void {
      if (pull.state === 'merged') throw new Refusal('merged');
      if (pull.state === 'open') end(pull, 'closed');
    },

    async reopen(pull: Pull): Promise<void> {
      const heads = await sync();
      if (pull.state === 'merged') throw new Refusal('merged');
      if (pull.state === 'open') return;
      const head = heads.get(pull.branch);
      if (head === undefined) throw new Refusal('lost', 'deleted');
      // One that only went on is no other.
      if (kind === 'github' && !(await repository.holds(head, pull.head))) throw new Refusal('lost', 'moved');
      const other = pulls.find(
        (one) => one.state === 'open' && one.branch === pull.branch && one.into === pull.into,
      );
      if (other !== undefined) throw new Refusal('exists', String(other.number));
      [pull.state, pull.closedAt] = ['open', null];
      touch(pull);
      await sync();
    },

    /** Where drafts are a matter of the title, it makes one or no more. */
    entitle(pull: Pull, title: string): void {
      pull.title = title;
      if (kind !== 'github') pull.isDraft = isDraftTitle(kind, title);
      touch(pull);
    },

    review(pull: Pull, by: string, state: HostReview['state']): void {
      const at = touch(pull);
      pull.reviews.push({ id: (reviews += 1), actor: by, state, at, commit: pull.head });
    },

    /** `isLook`: this look counts: the host begins to work it out at the first. */
    async verdict(pull: Pull, { isLook = false, isKnown = false } = {}): Promise<Verdict> {
      const isUnknown = !isKnown && pull.looks < settings.looksUntilKnown;
      if (isLook) pull.looks += 1;
      if (isUnknown) return 'unknown';
      if (await conflicts(pull)) return 'conflict';
      if (pull.isDraft) return 'draft';
      const all = checks.get(pull.head) ?? [];
      if (isProtected(pull.into, settings)) {
        if (settings.requireUpToDate && !(await repository.holds(pull.head, pull.base))) return 'behind';
        if (unmet(pull).length > 0) return 'blocked';
      }
      return all.every(({ state }) => state === 'passed') ? 'clean' : 'unstable';
    },
    unmet,
    latest,
  };

  /** The rules of a protected branch that it does not meet yet. */
  function unmet(pull: Pull): Unmet[] {
    const { requiredReviews, requiredChecks } = settings;
    const words = [...latest(pull).values()];
    const stateOf = (name: string) => checks.get(pull.head)?.find((check) => check.name === name)?.state;
    const states = requiredChecks.map(stateOf);
    return [
      ...(words.filter((word) => word === 'approved').length < requiredReviews ? ['reviews' as const] : []),
      ...(requiredReviews > 0 && words.includes('changes-requested') ? ['rejected' as const] : []),
      ...(states.some((state) => state === undefined || state === 'failed') ? ['checks' as const] : []),
      ...(states.includes('pending') ? ['pending' as const] : []),
    ];
  }
}

export type Unmet = 'reviews' | 'rejected' | 'checks' | 'pending';

/** What each person said last. */
const latest = (pull: Pull) =>
  new Map(
    pull.reviews.filter(({ state }) => state !== 'commented').map(({ actor, state }) => [actor, state]),
  );

const DRAFT_TITLES = { gitlab: /^\s*(?:\[draft\]|\(draft\)|draft:)\s*/i, gitea: /^\s*(?:wip:|\[wip\])\s*/i };
const isDraftTitle = (kind: 'gitlab' | 'gitea', title: string) => DRAFT_TITLES[kind].test(title);

/** The title of a draft, or of what is none any more. */
export const draftTitle = (kind: 'gitlab' | 'gitea', title: string, isDraft: boolean): string =>
  `${isDraft ? { gitlab: 'Draft: ', gitea: 'WIP: ' }[kind] : ''}${title.replace(DRAFT_TITLES[kind], '')}`;
