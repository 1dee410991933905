/** What is asked for about holds, as people type it. */
import { BacktrailError, type Person, type Plan } from '../model/index.ts';
import { isBot } from '../holds/bots.ts';
import type { HoldWish } from '../holds/place.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** `hold` and `holdFor` of an ask. */
export interface HoldAsk {
  readonly hold?: boolean | undefined;
  readonly holdFor?: string | undefined;
}

const UNITS = { m: 60, h: 3600, d: 86_400 } as const;
const LONGEST = 3650 * UNITS.d;

/** @throws INVALID_REQUEST for a duration that is none, and for one beside `hold: false` */
export function wishOf({ hold, holdFor }: HoldAsk): HoldWish {
  if (hold !== undefined && typeof hold !== 'boolean') throw invalid('`hold` is true or false.');
  if (holdFor === undefined) return hold === undefined ? 'auto' : hold ? { seconds: null } : null;
  if (hold === false) throw invalid('How long a hold lasts cannot be said of no hold.');
  const text: unknown = holdFor;
  const [, number = '', unit] = (typeof text === 'string' && /^([1-9]\d{0,5})([mhd])$/.exec(text)) || [];
  const seconds = Number(number) * UNITS[unit === 'd' || unit === 'h' ? unit : 'm'];
  if (seconds > 0 && seconds <= LONGEST) return { seconds };
  throw invalid(`${JSON.stringify(text).slice(0, 60)} is not a valid time to hold.`);
}

function invalid(message: string): BacktrailError {
  return new BacktrailError('INVALID_REQUEST', message, { hint: 'Write it as 30m, 72h or 7d.' });
}

/** Automation wrote what is rolled back, and nothing shows that it will again: a person decides. */
export function withAdvice(
  { layout }: Snapshot,
  plan: Plan,
  { ask, author }: { readonly ask: HoldAsk; readonly author: Person | undefined },
): Plan {
  const isAsked = ask.hold !== undefined || ask.holdFor !== undefined;
  if (isAsked || plan.files.length === 0 || author === undefined) return plan;
  if (plan.holds?.placed || !isBot(layout.config, author)) return plan;
  const finding = {
    code: 'HOLD_ADVISED' as const,
    severity: 'info' as const,
    message: `${author.name} wrote the current revision, and may write it again: nothing shows that this rollback would keep it from that.`,
    hint: 'With --hold, `backtrail guard` finds whoever moves what is restored.',
  };
  return { ...plan, findings: [...plan.findings, finding] };
}
