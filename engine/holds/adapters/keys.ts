/** `holds.set`: keys that switch automation off, as `automatic_deploys_enabled: false`. Only keys that exist are set. */
import { locate } from '../../yaml/core/locate.ts';
import { formatSelector } from '../../yaml/core/selector.ts';
import { parseSelector } from '../../yaml/core/selector.ts';
import type { Adapter, AdapterFile, Taking } from './adapter.ts';

export const keys: Adapter = {
  name: 'keys',
  isEvidence: false,
  looksAround: true,
  mayFind: (_, { set }) => set.length > 0,
  find({ parsed, settings }: AdapterFile): Taking | null {
    for (const [index] of parsed.bodies.entries())
      for (const { selector, value } of settings.set) {
        const steps = parseSelector(selector);
        const within = parsed.bodies.length > 1 && !isNamed(steps) ? [{ index }, ...steps] : steps;
        const found = quietly(() => locate(parsed, within));
        if (found === null || found.outline.kind !== 'scalar' || found.node === null) continue;
        if (parsed.text.slice(found.start, found.end) === value || found.outline.anchor !== null) continue;
        const at = formatSelector(found.selector);
        return {
          start: found.start,
          end: found.end,
          text: value,
          part: { kind: 'value', selector: at, put: value },
        };
      }
    return null;
  },
};

const isNamed = ([first]: ReturnType<typeof parseSelector>) =>
  first !== undefined && ('index' in first || 'match' in first);

function quietly<T>(find: () => T | null): T | null {
  try {
    return find();
  } catch {
    return null;
  }
}
