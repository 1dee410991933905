/** Where a draft is one by its title (GitLab, Gitea): what marks it, and all marks that the host knows. */
export interface DraftMark {
  readonly mark: string;
  readonly pattern: RegExp;
}

export const GITLAB_DRAFT: DraftMark = {
  mark: 'Draft: ',
  pattern: /^\s*(?:\[draft\]|\(draft\)|draft:|draft -)\s*/i,
};
/** Its defaults: `WORK_IN_PROGRESS_PREFIXES`. */
export const GITEA_DRAFT: DraftMark = { mark: 'WIP: ', pattern: /^\s*(?:wip:|\[wip\])\s*/i };

export function titleAs(title: string, isDraft: boolean, { mark, pattern }: DraftMark): string {
  let plain = title;
  while (pattern.test(plain)) plain = plain.replace(pattern, '');
  return isDraft ? `${mark}${plain}` : plain;
}
