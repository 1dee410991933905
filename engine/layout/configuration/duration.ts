/** Durations of the configuration: `30m`, `72h`, `7d`. */
import * as z from 'zod';

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** For the JSON schema. */
export const DURATION = { pattern: '^[1-9][0-9]{0,5}[mhd]$' };
/** Of `shortDuration`. */
export const SHORT_DURATION = { pattern: '^[1-9][0-9]{0,5}[smhd]$' };

/** A duration such as `72h`, in milliseconds. `limit` is the maximum as text. */
export const duration = (longest: number, limit: string) =>
  parsed(/^([1-9]\d{0,5})([mhd])$/, 'A duration is written as 30m, 72h or 7d.', { longest, limit });

/** The same, with seconds. */
export const shortDuration = (longest: number, limit: string) =>
  parsed(/^([1-9]\d{0,5})([smhd])$/, 'A duration is written as 90s, 10m or 2h.', { longest, limit });

const parsed = (
  form: RegExp,
  wanted: string,
  { longest, limit }: { readonly longest: number; readonly limit: string },
) =>
  z.string().transform((value, context) => {
    const [, number = '', letter = ''] = form.exec(value) ?? [];
    const unit = Object.entries(UNITS).find(([name]) => name === letter)?.[1] ?? 0;
    const ms = Number(number) * unit;
    if (ms > 0 && ms <= longest) return ms;
    context.addIssue({ code: 'custom', message: ms > 0 ? `At most ${limit}.` : wanted });
    return z.NEVER;
  });
