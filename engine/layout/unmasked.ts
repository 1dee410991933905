/** `show`: `path#selector`, or `#selector` in any file, of values that are not masked. */
import picomatch from 'picomatch';
import { parseLooseSelector, type Selector } from '../yaml/core/selector.ts';

/** The selectors that concern a file. */
export type Shown = (path: string) => readonly Selector[];

export function compileShown(texts: readonly string[]): Shown {
  const rules = texts.map((text) => {
    const [glob = '', selector = ''] = text.split(/#(.*)/su);
    return {
      matches: glob === '' ? () => true : picomatch(glob, { dot: true }),
      selector: parseLooseSelector(selector),
    };
  });
  return (path) => rules.filter(({ matches }) => matches(path)).map(({ selector }) => selector);
}
