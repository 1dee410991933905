/** Signatures of commits, of the ledger above all, by the keys that this machine trusts. */
import type { ObjectId, Signature } from '../../model/index.ts';
import { samePerson } from '../../policy/policy.ts';
import type { LedgerCommit } from './commits.ts';
import type { RequestContext } from '../context.ts';

/** `times`: when each was made (milliseconds since 1970), which decides whether its key was valid; its own date where absent. */
export async function signaturesOf(
  { git, cache, allowedSigners }: RequestContext,
  commits: readonly Pick<LedgerCommit, 'id'>[],
  times: ReadonlyMap<ObjectId, number> = new Map(),
): Promise<ReadonlyMap<ObjectId, Signature>> {
  const keyOf = (id: ObjectId) => `${id} ${times.get(id) ?? ''}`;
  const ids = [...new Set(commits.map(({ id }) => id))];
  const unknown = ids.filter((id) => !cache.signatures.has(keyOf(id)));
  if (unknown.length > 0) {
    // Whoever asks meanwhile waits for the same process of git.
    const asked = git.ledger.signatures(unknown, allowedSigners, times);
    for (const id of unknown)
      cache.signatures.set(
        keyOf(id),
        asked.then(
          (found) => found.get(id),
          (error: unknown) => {
            cache.signatures.delete(keyOf(id));
            throw error;
          },
        ),
      );
  }
  const found = await Promise.all(
    ids.map(async (id) => [id, await cache.signatures.get(keyOf(id))] as const),
  );
  return new Map(
    found.flatMap(([id, signature]) => (signature === undefined ? [] : [[id, signature] as const])),
  );
}

/**
 * Whose key a signature is by: `person`, one that is listed for this email; `server`, one that is listed by a pattern that the email fits; null,
 * neither.
 */
export function vouchedBy(
  { state, principals, served = [] }: Signature,
  email: string,
): 'person' | 'server' | null {
  if (state !== 'good') return null;
  if (principals.some((principal) => samePerson(principal, email))) return 'person';
  return served.some((names) => fits(names, email.trim().toLowerCase())) ? 'server' : null;
}

/** As ssh-keygen(1) has it (PATTERNS of ssh_config(5)): `*` any characters, `?` one; `!` denies. */
function fits(names: readonly string[], email: string): boolean {
  const matches = (pattern: string) =>
    new RegExp(
      `^${pattern
        .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
        .replaceAll(/\*+/g, '.*')
        .replaceAll('?', '.')}$`,
    ).test(email);
  const denied = names.filter((name) => name.startsWith('!')).map((name) => name.slice(1));
  return names.some((name) => !name.startsWith('!') && matches(name)) && !denied.some(matches);
}

/** Those of these commits that a trusted key of their author signed. */
export async function signedByAuthor(
  context: RequestContext,
  commits: readonly LedgerCommit[],
  times: ReadonlyMap<ObjectId, number>,
): Promise<ReadonlySet<ObjectId>> {
  const signatures = await signaturesOf(context, commits, times);
  const signed = commits.filter(({ id, author }) => {
    const signature = signatures.get(id);
    return signature !== undefined && vouchedBy(signature, author.email) !== null;
  });
  return new Set(signed.map(({ id }) => id));
}
