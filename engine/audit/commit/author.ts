/** What the header of a commit says: whom git names, and when, held against the request; and nothing besides. */
import type { RollbackRequest } from '../../model/index.ts';
import { identity } from '../../git/store/identity.ts';
import { samePerson } from '../../policy/policy.ts';
import { cleanValue } from '../../record/trailers.ts';
import type { CommitText } from '../line/commit-text.ts';
import { type Problem, problem } from '../problems.ts';

export function judgeAuthor(
  { author, committer, added }: CommitText,
  request: Pick<RollbackRequest, 'author' | 'requestedAt'>,
): Problem[] {
  const problems: Problem[] = [];
  if (added !== null)
    problems.push(
      problem('HEADER_ADDED', `Its header has the line ${JSON.stringify(cleanValue(added).slice(0, 80))}.`),
    );
  const meant = identity(request.author);
  if (!samePerson(cleanValue(author.email), cleanValue(meant.email)) || author.name !== meant.name)
    problems.push(
      problem(
        'AUTHOR_DIFFERS',
        `Git names ${author.name} <${author.email}> as its author: it should be ${meant.name} <${meant.email}>.`,
      ),
    );
  const time = Math.floor(Date.parse(request.requestedAt) / 1000);
  const isDated =
    author.seconds === time && committer.seconds === time && author.zone === UTC && committer.zone === UTC;
  if (!isDated)
    problems.push(
      problem(
        'DATE_DIFFERS',
        `It is dated ${shown(author)} and committed ${shown(committer)}: both should be ${iso(time)}.`,
      ),
    );
  return problems;
}

const UTC = '+0000';
const iso = (seconds: number) =>
  seconds >= 0 && seconds < 8.64e12
    ? new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
    : 'at no time';
const shown = ({ seconds, zone }: CommitText['author']) => `${iso(seconds)}${zone === UTC ? '' : ` ${zone}`}`;
