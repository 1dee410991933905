/** What this browser was shown of a request: what is asked about, and when. */
import { keep, readKept } from '../data/kept.ts';
import { hashOf } from '../parts/hash.ts';

export interface Seen {
  /** Of the plan that reviewers were asked about. */
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Short digests of what each file or field becomes, by its name. */
  readonly parts: Readonly<Record<string, string>>;
}

/** Requests that are remembered, and names of each. */
const MOST = 50;
const MOST_PARTS = 200;

export const readSeen = (id: string): Seen | null => all()[id] ?? null;

export function keepSeen(id: string, seen: Seen): void {
  const others = Object.entries(all()).filter(([each]) => each !== id);
  const parts = Object.fromEntries(Object.entries(seen.parts).slice(0, MOST_PARTS));
  keep('seen', JSON.stringify(Object.fromEntries([...others.slice(1 - MOST), [id, { ...seen, parts }]])));
}

function all(): Readonly<Record<string, Seen>> {
  try {
    return JSON.parse(readKept('seen') ?? '{}');
  } catch {
    return {};
  }
}

/** Values are not kept, only whether they are the same. */
export const shortened = (parts: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map([...parts].slice(0, MOST_PARTS).map(([name, text]) => [name, `${text.length}-${hashOf(text)}`]));
