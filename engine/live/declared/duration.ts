const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const PART = /(\d{1,15})?(?:\.(\d{0,15}))?(ns|us|µs|μs|ms|s|m|h)/y;

/** A duration as Go writes it, in nanoseconds; null for anything else. `60s`, `1m` and `1m0s` are the same. (time.ParseDuration) */
export function parseDuration(text: string): bigint | null {
  if (text === '' || text.length > 100) return null;
  let nanoseconds = 0n;
  for (let at = 0; at < text.length; at = PART.lastIndex) {
    PART.lastIndex = at;
    const [match, whole = '', fraction = '', unit = ''] = PART.exec(text) ?? [];
    if (match === undefined || whole + fraction === '') return null;
    nanoseconds += (BigInt(whole + fraction) * (UNITS[unit] ?? 0n)) / 10n ** BigInt(fraction.length);
  }
  return nanoseconds;
}
