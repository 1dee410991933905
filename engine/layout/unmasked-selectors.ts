/** `show`: selectors (`path#selector`, or `#selector` for any file) whose values are not masked. */
import picomatch from 'picomatch';
import { parseLooseSelector, type Selector } from '../yaml/core/selector.ts';

/** Returns the selectors that apply to a file. */
export type UnmaskedSelectors = (path: string) => readonly Selector[];

export function compileUnmasked(texts: readonly string[]): UnmaskedSelectors {
  const rules = texts.map((text) => {
    const [glob = '', selector = ''] = text.split(/#(.*)/su);
    return {
      matches: glob === '' ? () => true : picomatch(glob, { dot: true }),
      selector: parseLooseSelector(selector),
    };
  });
  return (path) => rules.filter(({ matches }) => matches(path)).map(({ selector }) => selector);
}
