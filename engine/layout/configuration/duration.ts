/** Durations of the configuration: `30m`, `72h`, `7d`. */
import * as z from 'zod';

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** For the JSON schema. */
export const DURATION = { pattern: '^[1-9][0-9]{0,5}[mhd]$' };

/** A duration such as `72h`, in milliseconds. `limit` is the maximum as text. */
export const duration = (longest: number, limit: string) =>
  z.string().transform((value, context) => {
    const [, number = '', unit] = /^([1-9]\d{0,5})([mhd])$/.exec(value) ?? [];
    const ms = Number(number) * UNITS[unit === 'd' || unit === 'h' ? unit : 'm'];
    if (ms > 0 && ms <= longest) return ms;
    const message = ms > 0 ? `At most ${limit}.` : 'A duration is written as 30m, 72h or 7d.';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
