/** People and times as git writes them in a commit. */
import { BacktrailError, type Person } from '../../model/index.ts';

/** As git writes it. */
export function identity({ name, email }: Person): Person {
  const address = clean(email).replaceAll(' ', '');
  return { name: clean(name) || address || 'unknown', email: address };
}

/** Git's own identities hold none of these; a newline would begin another header. */
export function clean(text: string): string {
  return text
    .replace(/[<>]/g, '')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
}

/** Since 1970. INVALID_REQUEST for what is no time. */
export function seconds(time: string): number {
  const value = Math.floor(Date.parse(time) / 1000);
  if (!(value >= 0)) throw new BacktrailError('INVALID_REQUEST', `'${time}' is no time after 1970.`);
  return value;
}
