/** `layout.ignore` and `layout.only`: which of the names that patterns find count. */
import picomatch from 'picomatch';
import type { Config } from '../model/index.ts';
import { type Bindings, PLACEHOLDERS } from './pattern.ts';

/** A name without `*` and `?` means itself alone, whatever else it holds. */
export const isNameGlob = (text: string): boolean => /[*?]/.test(text);

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

/** Is a name one of these, or does a glob among them match it? */
export function anyOf(texts: readonly string[]): (name: string) => boolean {
  const exact = new Set(texts);
  const globs = texts.filter(isNameGlob);
  const matches =
    globs.length === 0 ? () => false : picomatch(globs, { dot: true, nonegate: true, nocase: false });
  return (name) => exact.has(name) || matches(name);
}
