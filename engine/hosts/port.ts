/** What is asked of a code host, in one language for all of them. */
export type {
  CodeHost,
  MergeSettings,
  Mergeability,
  Merging,
  NewPullRequest,
  PullRequest,
  PullRequestDetails,
} from '../model/index.ts';
