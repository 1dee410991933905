/** An API token as text: `bt_<id>_<secret>`. Only a digest of the secret is kept. */
import { createHash, timingSafeEqual } from 'node:crypto';

const TEXT = /^bt_([0-9a-z]{16})_([A-Za-z0-9_-]{43})$/;
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';

export interface NewToken {
  readonly id: string;
  readonly text: string;
  readonly digest: string;
}

type Random = (bytes: number) => Uint8Array;

/** A secret of 256 random bits. */
export function makeToken(random: Random): NewToken {
  const id = Array.from(random(16), (byte) => LETTERS[byte % LETTERS.length] ?? '').join('');
  const secret = Buffer.from(random(32)).toString('base64url');
  return { id, text: `bt_${id}_${secret}`, digest: digestOf(secret) };
}

/** null for what is no such text. */
export function readToken(text: string): { readonly id: string; readonly digest: string } | null {
  const [, id, secret] = TEXT.exec(text) ?? [];
  return id === undefined || secret === undefined ? null : { id, digest: digestOf(secret) };
}

/** What was drawn at random from so many cannot be guessed from its digest: nothing slower is needed than for a password. */
const digestOf = (secret: string) => createHash('sha256').update(secret).digest('hex');

/** In a time that says nothing of them. */
export function sameDigest(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
