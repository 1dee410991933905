const SUFFIXES: Readonly<Record<string, readonly [base: bigint, power: bigint]>> = {
  n: [10n, -9n],
  u: [10n, -6n],
  m: [10n, -3n],
  '': [10n, 0n],
  k: [10n, 3n],
  M: [10n, 6n],
  G: [10n, 9n],
  T: [10n, 12n],
  P: [10n, 15n],
  E: [10n, 18n],
  Ki: [2n, 10n],
  Mi: [2n, 20n],
  Gi: [2n, 30n],
  Ti: [2n, 40n],
  Pi: [2n, 50n],
  Ei: [2n, 60n],
};

const QUANTITY = /^([+-]?)(\d{1,40})?(?:\.(\d{0,40}))?(?:[eE]([+-]?\d{1,2})|(n|u|m|k|[KMGTPE]i|[MGTPE]))?$/;

/** Whether a quantity is written in a way that no version, name or number is. */
export const hasSuffix = (text: string) => /\d(?:n|u|m|k|[KMGTPE]i?)$/.test(text);

/**
 * The value of a quantity of Kubernetes in billionths, rounded up as the API server does; null for anything else. `500m` and `0.5` are
 * the same. (k8s.io/apimachinery/pkg/api/resource)
 */
export function parseQuantity(text: string): bigint | null {
  const [match, sign = '', whole = '', fraction = '', exponent, suffix = ''] = QUANTITY.exec(text) ?? [];
  if (match === undefined || whole + fraction === '') return null;
  const [base, power] = exponent === undefined ? (SUFFIXES[suffix] ?? [10n, 0n]) : [10n, BigInt(exponent)];
  const digits = BigInt(whole + fraction) * 10n ** 9n;
  const up = power > 0n ? base ** power : 1n;
  const down = 10n ** BigInt(fraction.length) * (power < 0n ? base ** -power : 1n);
  const value = (digits * up + down - 1n) / down;
  return sign === '-' ? -value : value;
}
