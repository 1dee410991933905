/** The messages that each host gives a commit where whoever merges gives none. */
import type { HostCommit, Signature } from './repository.ts';
import type { HostSettings } from '../settings.ts';

export interface Described {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly branch: string;
  readonly into: string;
  readonly url: string;
  readonly repository: string;
}
export interface Text {
  readonly title: string;
  readonly message: string;
}

export const joined = ({ title, message }: Text): string =>
  message === '' ? title : `${title}\n\n${message}`;

const subjectOf = (message: string) => message.split('\n')[0] ?? '';
const bodyOf = (message: string) => message.split('\n').slice(1).join('\n').trim();

/** `Co-authored-by` for every author but who wrote the squash. */
function coAuthors(commits: readonly HostCommit[], author: Signature): string[] {
  const others = commits.filter(({ author: { email } }) => email !== author.email);
  return [
    ...new Set(others.map((commit) => `Co-authored-by: ${commit.author.name} <${commit.author.email}>`)),
  ];
}

export const github = {
  merge: (pull: Described, settings: HostSettings): Text => ({
    title:
      settings.mergeTitle === 'PR_TITLE'
        ? `${pull.title} (#${pull.number})`
        : `Merge pull request #${pull.number} from ${pull.repository.split('/')[0]}/${pull.branch}`,
    message: { PR_TITLE: pull.title, PR_BODY: pull.body, BLANK: '' }[settings.mergeMessage],
  }),
  squash(pull: Described, settings: HostSettings, commits: readonly HostCommit[], author: Signature): Text {
    const [first] = commits;
    const isOne = commits.length === 1 && first !== undefined;
    const isCommit = isOne && settings.squashTitle === 'COMMIT_OR_PR_TITLE';
    const title = `${isCommit ? subjectOf(first.message) : pull.title} (#${pull.number})`;
    if (settings.squashMessage === 'BLANK') return { title, message: '' };
    const listed = commits.map(({ message }) => {
      const body = bodyOf(message);
      return body === '' ? `* ${subjectOf(message)}` : `* ${subjectOf(message)}\n\n${body}`;
    });
    const messages = isOne ? bodyOf(first.message) : listed.join('\n\n');
    const text = settings.squashMessage === 'PR_BODY' ? pull.body : messages;
    const trailers = coAuthors(commits, author);
    const end = trailers.length === 0 ? [] : [`---------\n\n${trailers.join('\n')}`];
    return { title, message: [...(text === '' ? [] : [text]), ...end].join('\n\n') };
  },
};

export const gitlab = {
  merge: (pull: Described): Text => ({
    title: `Merge branch '${pull.branch}' into '${pull.into}'`,
    message: `${pull.title}\n\nSee merge request ${pull.repository}!${pull.number}`,
  }),
  squash: (pull: Described): Text => ({ title: pull.title, message: '' }),
};

export const gitea = {
  merge: (pull: Described): Text => ({
    title: `Merge pull request '${pull.title}' (#${pull.number}) from ${pull.branch} into ${pull.into}`,
    message: `Reviewed-on: ${pull.url}`,
  }),
  squash: (pull: Described): Text => ({
    title: `${pull.title} (#${pull.number})`,
    message: `Reviewed-on: ${pull.url}`,
  }),
  /** Appended to whatever text a squash has, the caller's own too: Gitea 1.26. */
  trailers: (commits: readonly HostCommit[], author: Signature): string =>
    coAuthors(commits, author).join('\n'),
};
