import { expect, it } from 'vitest';
import { restoreField } from '../../../../engine/yaml/edit/edit.ts';
import { parseSelector } from '../../../../engine/yaml/core/selector.ts';

export const restore = (base: string, target: string, selector: string) =>
  restoreField({ base, target, selector: parseSelector(selector) });

/** [what, base, target, selector, result] */
type Row = readonly [string, string, string, string, string];

export function works(rows: readonly Row[]): void {
  it.each(rows)('%s', (_title, base, target, selector, text) => {
    expect(restore(base, target, selector)).toMatchObject({ ok: true, text, changed: text !== base });
  });
}
