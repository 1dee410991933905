import { applyPatch } from 'diff';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { diffFields } from '../../../engine/yaml/diff/diff.ts';
import { parseSelector } from '../../../engine/yaml/core/selector.ts';
import { runs } from '../../helpers/run/proof.ts';

const deployment = (tag: string) => `kind: Deployment\nmetadata: {name: api}\ntag: ${tag}\n`;

const named = (namespace: string, v: number) =>
  `kind: A\nmetadata: {name: x, namespace: ${namespace}}\nv: ${v}\n`;

describe('diffFields', () => {
  it('names the leaves that differ with their source text', () => {
    expect(
      diffFields({
        before: 'image:\n  tag: v2.1.0 # pinned\nreplicas: 3\nold: [1]\n',
        after: 'image: {tag: "v2.0.9"}\nreplicas: 3\nnew: {a: 0644, b: {}}\n',
      }),
    ).toEqual([
      { selector: '/image/tag', op: 'replace', before: 'v2.1.0', after: '"v2.0.9"' },
      { selector: '/old[0]', op: 'remove', before: '1' },
      { selector: '/new/a', op: 'add', after: '0644' },
      { selector: '/new/b', op: 'add', after: '{}' },
    ]);
  });

  it('matches list items by what identifies them', () => {
    const before = 'env:\n- {name: A, value: 1}\n- {name: B, value: 2}\n';
    const after = 'env:\n- {name: X, value: 0}\n- {name: A, value: 1}\n- {name: B, value: 3}\n';
    expect(diffFields({ before, after })).toEqual([
      { selector: '/env[name=B]/value', op: 'replace', before: '2', after: '3' },
      { selector: '/env[name=X]/name', op: 'add', after: 'X' },
      { selector: '/env[name=X]/value', op: 'add', after: '0' },
    ]);
  });

  it('names what changes through an alias where it is repeated, and hides it where it is a secret', () => {
    const text = (tag: number) => `a: &x {tag: ${tag}, k: 1}\nb: *x\nc: {<<: *x, tag: 3}\n`;
    const change = { op: 'replace', before: '1', after: '2' };
    expect(diffFields({ before: text(1), after: text(2) })).toEqual([
      { selector: '/a/tag', ...change },
      { selector: '/b/tag', ...change },
      { selector: '/c/<</tag', ...change },
    ]);
    const [one, other] = ['a: &x hunter1\npassword: *x\n', 'a: &x hunter2\npassword: *x\n'];
    const hidden = diffFields({ before: one, after: other });
    expect(hidden?.map(({ selector }) => selector)).toEqual(['/a', '/password']);
    expect(JSON.stringify(hidden)).not.toContain('hunter');
  });

  it('names an item by its place where nothing identifies it', () => {
    expect(diffFields({ before: 'a: [{x: 1}, {x: 1}]', after: 'a: [{x: 1}, {x: 2}]' })).toEqual([
      { selector: '/a[1]/x', op: 'replace', before: '1', after: '2' },
    ]);
  });

  it('shows texts of a list that came, went, were replaced or changed their order', () => {
    expect(diffFields({ before: '[a, b, c]', after: '[a, x, c, d]' })).toEqual([
      { selector: '[1]', op: 'replace', before: 'b', after: 'x' },
      { selector: '[3]', op: 'add', after: 'd' },
    ]);
    expect(diffFields({ before: '[a, b, c]', after: '[b, c]' })).toEqual([
      { selector: '[0]', op: 'remove', before: 'a' },
    ]);
    expect(diffFields({ before: 'l: [a, b]', after: 'l: [b, a]' })).toEqual([
      { selector: '/l', op: 'replace', before: '[a, b]', after: '[b, a]' },
    ]);
  });

  it('matches documents by kind and name', () => {
    const service = 'kind: Service\nmetadata: {name: api}\nport: 1\n';
    expect(
      diffFields({ before: `${service}---\n${deployment('a')}`, after: `${deployment('b')}---\n${service}` }),
    ).toEqual([
      { selector: '[kind=Deployment,metadata.name=api]/tag', op: 'replace', before: 'a', after: 'b' },
    ]);
  });

  it('tells documents of one name apart by namespace', () => {
    expect(
      diffFields({
        before: `${named('n', 1)}---\n${named('m', 1)}`,
        after: `${named('n', 1)}---\n${named('m', 2)}`,
      }),
    ).toEqual([
      { selector: '[kind=A,metadata.name=x,metadata.namespace=m]/v', op: 'replace', before: '1', after: '2' },
    ]);
  });

  it.each([
    ['comments and layout', 'a:   1 # x\nb: [1,2]\n', '# y\na: 1\nb:\n  - 1\n  - 2\n'],
    ['the order of keys', 'a: 1\nb: 2\n', 'b: 2\na: 1\n'],
    ['the indentation of a block scalar', 'a: |\n  x\n  y\n', 'a: |\n      x\n      y\n'],
    ['the style of quotes', `a: "x"\n`, `a: 'x'\n`],
    ['ways to write nothing', 'a: null\n', 'a:\n'],
    ['line endings', 'a: 1\r\nb: 2\r\n', 'a: 1\nb: 2'],
  ])('finds no difference in %s', (_what, before, after) => {
    expect(diffFields({ before, after })).toEqual([]);
  });

  it.each([
    ['on', '"on"'],
    ['0644', '420'],
    ['9007199254740993', '9007199254740992'],
    ['!!str 1', '1'],
    ['1', '1.0'],
  ])('tells %s from %s', (before, after) => {
    expect(diffFields({ before: `a: ${before}`, after: `a: ${after}` })).toHaveLength(1);
  });

  it('counts a file that came or went leaf by leaf', () => {
    expect(
      diffFields({ before: null, after: 'a: {b: 1, c: 2}' })?.map(({ op, selector }) => [op, selector]),
    ).toEqual([
      ['add', '/a/b'],
      ['add', '/a/c'],
    ]);
    expect(diffFields({ before: 'a: 1', after: null })).toEqual([
      { selector: '/a', op: 'remove', before: '1' },
    ]);
    expect(diffFields({ before: null, after: '# nothing\n' })).toEqual([]);
  });

  it('masks a value that is secret on either side', () => {
    expect(diffFields({ before: 'password: h1', after: 'password: h2' })).toEqual([
      { selector: '/password', op: 'replace', before: '***', after: '***' },
    ]);
    expect(
      diffFields({ before: 'kind: Secret\ndata: {a: h1}', after: 'kind: ConfigMap\ndata: {a: h2}' }),
    ).toContainEqual({
      selector: '/data/a',
      op: 'replace',
      before: '***',
      after: '***',
    });
    expect(diffFields({ before: 'u: redis://x:h1@a/1', after: 'u: redis://x:h1@a/2' })).toEqual([
      { selector: '/u', op: 'replace', before: 'redis://***@a/1', after: 'redis://***@a/2' },
    ]);
  });

  it('takes no secret into a selector', () => {
    const changes = diffFields({ before: 'creds: [{name: h1, v: 1}]', after: 'creds: [{name: h1, v: 2}]' });
    expect(changes).toEqual([{ selector: '/creds[0]/v', op: 'replace', before: '***', after: '***' }]);
    const keys = diffFields({ before: 'a: {"redis://u:h1@x": 1}', after: 'a: {"redis://u:h1@x": 2}' });
    expect(keys).toBeNull();
  });

  it('cuts long values around what differs', () => {
    const long = 'x'.repeat(300);
    const [change] = diffFields({ before: `a: ${long}1${long}`, after: `a: ${long}2${long}` }) ?? [];
    expect(change?.before).toHaveLength(200);
    expect(change?.before).toContain('x1x');
    expect(change?.after).toContain('x2x');
    expect(change?.before).toMatch(/^…x.*x…$/);
  });

  it('loses no last character of a long value', () => {
    const [change] = diffFields({ before: `a: ${'x'.repeat(300)}1`, after: `a: ${'x'.repeat(300)}2` }) ?? [];
    expect([change?.before, change?.after]).toEqual([`…${'x'.repeat(198)}1`, `…${'x'.repeat(198)}2`]);
  });

  it('shows each place where a text of several lines differs, by its lines', () => {
    const text = (third: string, last: string) =>
      ['spec:', '  values: |', ...[...Array(40).keys()].map((i) => `    key${i}: ${'some value '.repeat(3)}`)]
        .map((line) => line.replace(/key3: .*/, `key3: ${third}`).replace(/key38: .*/, `key38: ${last}`))
        .join('\n');
    const [change, ...more] = diffFields({ before: text('a1', 'b1'), after: text('a2', 'b2') }) ?? [];
    expect(more).toEqual([]);
    expect(change?.selector).toBe('/spec/values');
    const lines = (change?.diff ?? '').split('\n').filter((line) => /^[-+@]/.test(line));
    expect(lines).toEqual([
      '@@ -1,7 +1,7 @@',
      '-key3: a1',
      '+key3: a2',
      '@@ -36,5 +36,5 @@',
      '-key38: b1',
      '+key38: b2',
    ]);
  });

  it('compares the lines of what a text means, however it is written', () => {
    const [change] = diffFields({ before: 'a: |\n  one\n  two\n', after: 'a: "one\\nthree\\n"\n' }) ?? [];
    expect(change?.diff).toBe('@@ -1,2 +1,2 @@\n one\n-two\n+three\n');
  });

  it('shows a secret in a text of several lines as a changed line', () => {
    const text = (password: string) => `a: |\n  x: 1\n  password: ${password}\n`;
    expect(diffFields({ before: text('h1'), after: text('h2') })).toEqual([
      {
        selector: '/a',
        op: 'replace',
        before: '|\n  x: 1\n  password: ***',
        after: '|\n  x: 1\n  password: ***',
        diff: '@@ -1,2 +1,2 @@\n x: 1\n-password: ***\n+password: *** (changed)\n',
      },
    ]);
    const long = (password: string) => `u: redis://x:${password}@a/${'b'.repeat(400)}`;
    const [change] = diffFields({ before: long('h1'), after: long('h2') }) ?? [];
    expect(change?.diff).toContain('+redis://*** (changed)@a/');
  });

  it('keeps a second difference that the cut of a long value leaves out', () => {
    const value = (n: number) => `a: ${'x'.repeat(100)}first${n}${'x'.repeat(900)}second${n}`;
    const [change] = diffFields({ before: value(1), after: value(2) }) ?? [];
    expect(change?.before).not.toContain('second1');
    expect(change?.diff).toContain('second1\n+xx');
    expect(change?.diff).toContain('second2\n');
  });

  it('keeps all of a long value that came or went, and of a long list in another order', () => {
    const text = `b: |\n${'  line\n'.repeat(100)}  last\n`;
    expect(diffFields({ before: 'a: 1\n', after: `a: 1\n${text}` })?.[0]?.diff).toContain('+last\n');
    expect(diffFields({ before: `a: 1\n${text}`, after: 'a: 1\n' })?.[0]?.diff).toContain('-last\n');
    const items = [...Array(100).keys()].map((i) => `item${i}`);
    const [order] =
      diffFields({
        before: `l: [${items.join(', ')}]`,
        after: `l: [${[...items.slice(1, 90), 'item0', ...items.slice(90)].join(', ')}]`,
      }) ?? [];
    expect(order?.diff).toMatch(/-item0\n[^]*\+item0\n/);
  });

  it('takes no more steps for many hostile values than for one', () => {
    const values = runs(40, 10);
    const lines = (mark: string, count: number) =>
      Array.from({ length: count }, (_, i) => `  ${mark}${i}`).join('\n');
    const text = (mark: string) =>
      [...Array(values).keys()].map((key) => `k${key}: |\n${lines(mark, 3000)}\n`).join('');
    const changes = diffFields({ before: text('a'), after: text('b') }) ?? [];
    expect(changes).toHaveLength(values);
    for (const { diff = '' } of changes) expect(diff.split('\n')).toHaveLength(6002);
  });

  it('gives lines no second thought where none are asked for', () => {
    const sides = { before: 'a: |\n  x\n', after: 'a: |\n  y\n' };
    expect(diffFields(sides, { lines: false })?.[0]?.diff).toBeUndefined();
  });

  it('names every line that differs, in any two texts', () => {
    const lines = fc.array(
      fc.constantFrom('a: 1', 'b'.repeat(90), '- c', '-- d', '', '  e', '@@ f', '+++ g'),
      {
        minLength: 10,
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(lines, lines, (old, now) => {
        const [before, after] = [old, now].map((side) => JSON.stringify({ v: `top\n${side.join('\n')}\n` }));
        const [change] = diffFields({ before: before ?? '', after: after ?? '' }) ?? [];
        // One line of source that is short enough stands whole on both sides.
        fc.pre(change?.diff !== undefined);
        const [whole, wanted] = [old, now].map((side) => `top\n${side.join('\n')}\n`);
        expect(applyPatch(whole ?? '', change?.diff ?? '')).toBe(wanted);
      }),
    );
  });

  it('gives null where a side does not parse or fields cannot tell', () => {
    expect(diffFields({ before: 'a: [', after: 'a: 1' })).toBeNull();
    expect(diffFields({ before: 'a: 1', after: 'a: 1\na: 2' })).toBeNull();
    expect(diffFields({ before: '? [x]\n: 1', after: '? [x]\n: 2' })).toBeNull();
    expect(
      diffFields({ before: null, after: Array.from({ length: 3000 }, (_, i) => `k${i}: 1`).join('\n') }),
    ).toBeNull();
  });

  it('treats hostile keys like any other', () => {
    expect(
      diffFields({ before: '__proto__: {a: 1}', after: '__proto__: {a: 2}\nl: [{name: __proto__}]' }),
    ).toEqual([
      { selector: '/__proto__/a', op: 'replace', before: '1', after: '2' },
      { selector: '/l[name=__proto__]/name', op: 'add', after: '__proto__' },
    ]);
  });

  it('writes selectors that can be read back, and finds nothing between a text and itself', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (before, after) => {
        const changes = diffFields({ before: stringify(before), after: stringify(after) }) ?? [];
        for (const { selector } of changes) expect(parseSelector(selector)).toBeDefined();
        expect(
          diffFields({ before: stringify(before), after: JSON.stringify(before) + '\n' }) ?? [],
        ).not.toContainEqual(expect.objectContaining({ op: 'add' }));
        expect(diffFields({ before: stringify(before), after: `# x\n${stringify(before)}` }) ?? []).toEqual(
          [],
        );
      }),
    );
  });
});
