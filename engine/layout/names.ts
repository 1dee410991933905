/** `layout.ignore` and `layout.only`: which matched names count. */
import type { Config } from '../model/index.ts';
import { matchesName } from '../policy/policy.ts';
import { type Bindings, PLACEHOLDERS } from './pattern.ts';

/** Returns a test whether one of the names is excluded. */
export function ignoredNames({
  ignore,
  only,
}: Pick<Config['layout'], 'ignore' | 'only'>): (bindings: Bindings) => boolean {
  const rules = PLACEHOLDERS.map((placeholder) => ({
    placeholder,
    isNone: nameMatcher(ignore[placeholder]),
    isOne: only[placeholder].length === 0 ? () => true : nameMatcher(only[placeholder]),
  }));
  return (bindings) =>
    rules.some(({ placeholder, isNone, isOne }) => {
      const name = bindings[placeholder];
      return name !== undefined && (isNone(name) || !isOne(name));
    });
}

/** Returns a test whether a name equals a text, or matches one with `*`. No other character is special; runs in linear time. */
export function nameMatcher(texts: readonly string[]): (name: string) => boolean {
  const exact = new Set(texts);
  const globs = texts.filter((text) => text.includes('*'));
  return (name) => exact.has(name) || globs.some((glob) => matchesName(glob, name));
}
