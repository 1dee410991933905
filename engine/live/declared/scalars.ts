import { parseDuration } from './duration.ts';
import { hasSuffix, parseQuantity } from './quantity.ts';

/** Below them is text that means nothing to the cluster, which gives it back as it was sent. */
const FREE_TEXT = new Set(
  'data stringData binaryData labels annotations matchLabels nodeSelector args command values'.split(' '),
);
/** Below them `1` and `1.0` are the same, without a suffix as well. */
const QUANTITIES = new Set(
  'limits requests capacity hard default defaultRequest min max overhead'.split(' '),
);
const MODES = new Set(['mode', 'defaultMode']);

/**
 * Whether a cluster that was given one scalar and answers the other kept it: quantities (`500m`, `0.5`), durations (`60s`, `1m0s`) and
 * numbers written as text are compared by value where the field is not free text. `keys`: where they are, `*` for items of lists.
 */
export function isSameScalar(declared: unknown, live: unknown, keys: readonly string[]): boolean {
  if (declared === live) return true;
  if (isFreeText(keys)) return false;
  if (MODES.has(keys.at(-1) ?? '') && isOctal(declared, live)) return true;
  const [one, other] = [textOf(declared), textOf(live)];
  if (one === null || other === null) return false;
  const isNumber = typeof declared === 'number' || typeof live === 'number';
  if (isNumber || hasSuffix(one) || hasSuffix(other) || keys.some((key) => QUANTITIES.has(key))) {
    const quantity = parseQuantity(one);
    if (quantity !== null && quantity === parseQuantity(other)) return true;
  }
  const duration = parseDuration(one);
  return duration !== null && duration === parseDuration(other);
}

/** `env` has values, and so has a metric of an autoscaler, which is a quantity. */
const isFreeText = (keys: readonly string[]) =>
  keys.some((key) => FREE_TEXT.has(key)) || (keys.at(-1) === 'value' && keys.at(-3) === 'env');

const textOf = (value: unknown) =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : null;

/** `0644` is octal to kubectl (YAML 1.1), and 644 to a parser of YAML 1.2. */
const isOctal = (declared: unknown, live: unknown) =>
  typeof declared === 'number' &&
  /^[0-7]{1,4}$/.test(String(declared)) &&
  Number.parseInt(String(declared), 8) === live;
