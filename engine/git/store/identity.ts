/** People and times as git writes them in a commit. */
import { BacktrailError, type NewCommit, type Person } from '../../model/index.ts';

/** Name and email as `git commit` would write them. */
export function identity({ name, email }: Person): Person {
  const address = clean(email).replaceAll(' ', '');
  return { name: clean(name) || address || 'unknown', email: address };
}

/** Characters that git drops from identities; a newline would begin another header. */
function clean(text: string): string {
  return text
    .replace(/[<>]/g, '')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
}

/** Since 1970. @throws INVALID_REQUEST for a time that is not valid, or before 1970 */
export function seconds(time: string): number {
  const value = Math.floor(Date.parse(time) / 1000);
  if (!(value >= 0)) throw new BacktrailError('INVALID_REQUEST', `'${time}' is not a valid time after 1970.`);
  return value;
}

/** `author` and `committer`, as lines of a commit. */
export function peopleLines({
  author,
  committer,
  time,
}: Pick<NewCommit, 'author' | 'committer' | 'time'>): string {
  const at = seconds(time);
  const named = (who: Person) => {
    const { name, email } = identity(who);
    return `${name} <${email}> ${at} +0000`;
  };
  return `author ${named(author)}\ncommitter ${named(committer)}\n`;
}
