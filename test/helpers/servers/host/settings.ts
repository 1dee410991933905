import type { MergeMethod } from '../../../../engine/model/index.ts';

/** What the owner of the repository set on the host. Every one may be changed at any time. */
export interface HostSettings {
  /** Branches that take no direct push and whose pull requests answer to the rules below: names, or patterns of the shell. */
  protect: string[];
  /** GitHub's two kinds of rules: they differ in the words of a refused push, and in where the API tells them. */
  protectedBy: 'protection' | 'ruleset';
  /** GitHub and Gitea: how pull requests may be merged. */
  methods: MergeMethod[];
  /** GitLab: how merge requests of the project are merged. */
  projectMerge: 'merge' | 'rebase_merge' | 'ff';
  /** GitLab: whether they are squashed. */
  projectSquash: 'never' | 'always' | 'default_on' | 'default_off';
  /** The branch must hold all of its base: `behind`, `need_rebase`. */
  requireUpToDate: boolean;
  requiredReviews: number;
  /** Names of checks that must have passed; setChecks adds those that it says are required. */
  requiredChecks: string[];
  /** Checks that start, pending, with every commit of a pull request: by the token of GitHub's Actions, none. */
  workflows: string[];
  /** Signed commits alone; a push is not looked at for it. */
  requireSignatures: boolean;
  /** A push takes approvals away. */
  dismissStaleReviews: boolean;
  /** A merge queue (GitHub) that merges by this method, and nobody else does; a merge train (GitLab). */
  queue: MergeMethod | null;
  /** GitHub Enterprise: the repository has hooks of its own, which `mergeable_state` tells. */
  hasHooks: boolean;
  /** GitHub: pull requests can be drafts. */
  drafts: boolean;
  deleteBranchOnMerge: boolean;
  /** GitHub: what a merge's message is made of where the caller gives none. */
  mergeTitle: 'MERGE_MESSAGE' | 'PR_TITLE';
  mergeMessage: 'PR_TITLE' | 'PR_BODY' | 'BLANK';
  squashTitle: 'COMMIT_OR_PR_TITLE' | 'PR_TITLE';
  squashMessage: 'COMMIT_MESSAGES' | 'PR_BODY' | 'BLANK';
  /** The token's rights: to see the repository at all, to write, to see settings and rules, and to pass by them. */
  mayRead: boolean;
  mayWrite: boolean;
  mayAdminister: boolean;
  mayBypass: boolean;
  /** How many looks at the details of a new head and base answer that the host does not know yet whether they merge. */
  looksUntilKnown: number;
  /** The most that a page of a list holds. */
  pageLimit: number;
}

export const defaultSettings = (kind: 'github' | 'gitlab' | 'gitea'): HostSettings => ({
  protect: ['main'],
  protectedBy: 'protection',
  methods: ['merge', 'rebase', 'squash'],
  projectMerge: 'merge',
  projectSquash: 'default_off',
  requireUpToDate: false,
  requiredReviews: 0,
  requiredChecks: [],
  workflows: [],
  requireSignatures: false,
  dismissStaleReviews: false,
  queue: null,
  hasHooks: false,
  drafts: true,
  deleteBranchOnMerge: false,
  mergeTitle: 'MERGE_MESSAGE',
  mergeMessage: 'PR_TITLE',
  squashTitle: 'COMMIT_OR_PR_TITLE',
  squashMessage: 'COMMIT_MESSAGES',
  mayRead: true,
  mayWrite: true,
  mayAdminister: false,
  mayBypass: false,
  looksUntilKnown: 1,
  pageLimit: kind === 'gitea' ? 50 : 100,
});
