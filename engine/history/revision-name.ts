/** Parses names of revisions. User input is never passed to git as typed. */
import { BacktrailError, isRefName } from '../model/index.ts';

export type RevisionName =
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'commit'; readonly id: string }
  | { readonly kind: 'previous' }
  | { readonly kind: 'last-successful' }
  /** The last commit before this time (ISO 8601). */
  | { readonly kind: 'time'; readonly time: string }
  /** `back`: number of first parents to go back. `name` null: the tip of the branch (HEAD). */
  | {
      readonly kind: 'ref';
      readonly name: string | null;
      readonly as: 'tag' | 'branch' | 'any';
      readonly back: number;
    };

/**
 * Parses `v12`, a commit id, `previous`, `last-successful`, `@2026-11-20T10:00Z`, `@2h`, `@yesterday`, `HEAD~1`, the name of a tag or
 * branch, `tag:v3`, `branch:main~2`. `now`: milliseconds since 1970.
 * @throws REVISION_INVALID for anything else, including options and other revision expressions
 */
export function parseRevision(text: string, now: number): RevisionName {
  if (text === 'previous' || text === 'last-successful') return { kind: text };
  const version = /^v([1-9]\d{0,8})$/.exec(text)?.[1];
  if (version !== undefined) return { kind: 'version', version: Number(version) };
  if (/^[0-9a-f]{4,64}$/i.test(text)) return { kind: 'commit', id: text.toLowerCase() };
  // A ref name cannot contain a space: this is a time as printed by `history`.
  const printed = /^\d{4}-\d\d-\d\d \d\d:\d\d/.test(text);
  const time = text.startsWith('@') || printed ? parseMoment(text.replace(/^@/, ''), now) : null;
  if (time !== null) return { kind: 'time', time };
  const ref = parseRef(text);
  if (ref !== null) return ref;
  throw new BacktrailError(
    'REVISION_INVALID',
    `${JSON.stringify(text.slice(0, 100))} does not name a revision.`,
  );
}

function parseRef(text: string): RevisionName | null {
  const [, as = 'any', base = '', steps = ''] =
    /^(?:(tag|branch):)?(.+?)((?:~\d{0,6}|\^)*)$/s.exec(text) ?? [];
  const back = [...steps.matchAll(/~(\d*)|\^/g)].reduce(
    (sum, [step, count]) => sum + (step === '^' || count === '' ? 1 : Number(count)),
    0,
  );
  if (base === 'HEAD' && as === 'any') return { kind: 'ref', name: null, as, back };
  const [, folder, short = base] = /^refs\/(tags|heads)\/(.+)$/s.exec(base) ?? [];
  if (base.length > MAX_REF_LENGTH || base.startsWith('@') || !isRefName(short)) return null;
  const named = folder === undefined ? as : folder === 'tags' ? 'tag' : 'branch';
  return { kind: 'ref', name: short, as: named === 'tag' || named === 'branch' ? named : 'any', back };
}

/** Maximum length of a ref name, in characters. */
const MAX_REF_LENGTH = 250;

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** The end of the period that a time denotes: `10:00` includes that whole minute, since `history` prints minutes. */
function parseMoment(text: string, now: number): string | null {
  if (text === 'yesterday') return new Date(now - UNITS.d).toISOString();
  const [, count = '', unit = ''] = /^(\d{1,5})([mhdw])$/.exec(text) ?? [];
  const length = Object.entries(UNITS).find(([known]) => known === unit)?.[1];
  if (length !== undefined) return new Date(now - Number(count) * length).toISOString();
  const written = text.replace(/^(\d{4}-\d\d-\d\d) (?=\d)/, '$1T').replace(/ ?UTC$/, 'Z');
  const time = parseTime(written);
  if (time === null || !written.includes('T')) return time;
  const seconds = /T\d\d:\d\d:\d\d/.test(written);
  const rest = /T[\d:]+\./.test(written) ? 0 : seconds ? 999 : 59_999;
  return new Date(Date.parse(time) + rest).toISOString();
}

/** Parses ISO 8601, from a date to milliseconds; UTC without a zone. null for anything else. */
export function parseTime(text: string): string | null {
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  if (!match) return null;
  const milliseconds = Date.parse(`${match[1]}T${match[2] ?? '00:00'}${match[3] ?? 'Z'}`);
  return Number.isNaN(milliseconds) || !isDay(match[1] ?? '') ? null : new Date(milliseconds).toISOString();
}

/** Date.parse reads 31 February as 3 March. */
function isDay(date: string): boolean {
  const milliseconds = Date.parse(`${date}T00:00Z`);
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString().startsWith(date);
}
