import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DigestItem, digestOf } from '../../../engine/plan/digest.ts';
import type { Scope } from '../../../engine/model/index.ts';
import { hasher } from '../../helpers/trees/memory-tree.ts';

const TARGET = 'a'.repeat(40);
const scope: Scope = { mode: 'service', tenant: 'acme', environment: 'prod', service: 'api' };
const side = (bytes: string, mode = '100644') => ({ mode, bytes });
const item: DigestItem = { path: 'a/b.yaml', selector: '/image', before: side('v2'), after: side('v1') };
const digest = (change: Partial<{ scope: Scope; target: string; items: DigestItem[] }> = {}) =>
  digestOf({ hasher, scope, target: TARGET, items: [item], ...change });

describe('the digest of a plan', () => {
  it('is what its description says, counted by hand', () => {
    const strings = [
      'backtrail-plan-1',
      'field',
      null,
      'prod',
      'größe',
      '1',
      'a#/b',
      TARGET,
      '1',
      'a',
      '/b',
      '100644',
      'x',
      null,
      null,
    ];
    const bytes = strings.map((text) => {
      const body = Buffer.from(text ?? '');
      const length = Buffer.alloc(8, 0xff);
      if (text !== null) length.writeBigUInt64BE(BigInt(body.length));
      return Buffer.concat([length, body]);
    });
    const expected = createHash('sha256').update(Buffer.concat(bytes)).digest('hex');
    const items = [{ path: 'a', selector: '/b', before: side('x'), after: null }];
    const fieldScope: Scope = { mode: 'field', environment: 'prod', service: 'größe', fields: ['a#/b'] };
    expect(digest({ scope: fieldScope, items })).toBe(`sha256:${expected}`);
  });

  it('does not depend on the order in which items were found', () => {
    const items = ['c', 'a', 'b'].map((path) => ({ ...item, path }));
    expect(digest({ items: items.toReversed() })).toBe(digest({ items }));
    const selectors = ['/b', '', '/a'].map((selector) => ({ ...item, selector }));
    expect(digest({ items: selectors.toReversed() })).toBe(digest({ items: selectors }));
  });

  it('changes with everything that it covers', () => {
    const other: [string, string][] = [
      ['base', digest()],
      ['mode', digest({ scope: { mode: 'full', tenant: 'acme', environment: 'prod' } })],
      ['tenant', digest({ scope: { ...scope, tenant: 'other' } })],
      ['no tenant', digest({ scope: { mode: 'service', environment: 'prod', service: 'api' } })],
      ['environment', digest({ scope: { ...scope, environment: 'staging' } })],
      ['service', digest({ scope: { ...scope, service: 'web' } })],
      ['fields', digest({ scope: { ...scope, fields: ['a#/b'] } })],
      ['target', digest({ target: 'b'.repeat(40) })],
      ['no item', digest({ items: [] })],
      ['another path', digest({ items: [{ ...item, path: 'a/c.yaml' }] })],
      ['another selector', digest({ items: [{ ...item, selector: '/tag' }] })],
      ['other bytes before', digest({ items: [{ ...item, before: side('v3') }] })],
      ['nothing before', digest({ items: [{ ...item, before: null }] })],
      ['empty before', digest({ items: [{ ...item, before: side('') }] })],
      ['other bytes after', digest({ items: [{ ...item, after: side('v0') }] })],
      ['nothing after', digest({ items: [{ ...item, after: null }] })],
      ['another mode', digest({ items: [{ ...item, after: side('v1', '100755') }] })],
    ];
    expect(new Set(other.map(([, value]) => value)).size).toBe(other.length);
  });

  it('cannot be fooled by moving bytes from one string to the next', () => {
    const text = fc.string({ maxLength: 3 });
    const anySide = fc.option(fc.record({ mode: text, bytes: text }), { nil: null });
    const anyItem = fc.record({ path: text, selector: text, before: anySide, after: anySide });
    const items = fc.uniqueArray(anyItem, {
      maxLength: 3,
      selector: ({ path, selector }) => `${path}\0${selector}`,
    });
    fc.assert(
      fc.property(items, items, (a, b) => {
        expect(digest({ items: a }) === digest({ items: b })).toBe(canonical(a) === canonical(b));
      }),
      { numRuns: 1000 },
    );
  });
});

function canonical(list: readonly DigestItem[]): string {
  const rows = list.map(({ path, selector, before, after }) =>
    JSON.stringify([path, selector, before, after]),
  );
  return JSON.stringify(rows.sort());
}
