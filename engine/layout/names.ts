/** `layout.ignore` and `layout.only`: which of the names that patterns find count. */
import type { Config } from '../model/index.ts';
import { matchesName } from '../policy/policy.ts';
import { type Bindings, PLACEHOLDERS } from './pattern.ts';

/** Does the configuration say that one of these names is none? */
export function ignoredNames({
  ignore,
  only,
}: Pick<Config['layout'], 'ignore' | 'only'>): (bindings: Bindings) => boolean {
  const rules = PLACEHOLDERS.map((placeholder) => ({
    placeholder,
    isNone: anyOf(ignore[placeholder]),
    isOne: only[placeholder].length === 0 ? () => true : anyOf(only[placeholder]),
  }));
  return (bindings) =>
    rules.some(({ placeholder, isNone, isOne }) => {
      const name = bindings[placeholder];
      return name !== undefined && (isNone(name) || !isOne(name));
    });
}

/** Is a name one of these, or does one with `*` match it? No other character is special, and matching is linear. */
export function anyOf(texts: readonly string[]): (name: string) => boolean {
  const exact = new Set(texts);
  const globs = texts.filter((text) => text.includes('*'));
  return (name) => exact.has(name) || globs.some((glob) => matchesName(glob, name));
}
