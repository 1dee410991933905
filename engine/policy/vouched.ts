/** Whose key a signature is by, as the list of trusted keys says (ssh-keygen(1), ALLOWED SIGNERS). */
import { emailKey, type Signature } from '../model/index.ts';
import { samePerson } from './policy.ts';

/**
 * `person`: by a key that is listed for exactly this email; `server`: by one that is listed by a pattern which the email fits; null: neither.
 */
export function vouchedBy(
  { state, principals, served = [] }: Signature,
  email: string,
): 'person' | 'server' | null {
  if (state !== 'good') return null;
  if (principals.some((principal) => samePerson(principal, email))) return 'person';
  return served.some((names) => fitsNames(names, email)) ? 'server' : null;
}

/** The names of a line, in lower case: `*` stands for any characters, `?` for one; `!` denies (ssh_config(5), PATTERNS). */
export function fitsNames(names: readonly string[], email: string): boolean {
  const own = emailKey(email);
  const denied = names.filter((name) => name.startsWith('!')).map((name) => name.slice(1));
  return (
    names.some((name) => !name.startsWith('!') && fits(name, own)) && !denied.some((name) => fits(name, own))
  );
}

const fits = (pattern: string, email: string) =>
  new RegExp(
    `^${pattern
      .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
      .replace(/\*+/g, '.*')
      .replaceAll('?', '.')}$`,
  ).test(email);
