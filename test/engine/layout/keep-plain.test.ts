/** What a look at the lines of a text says about `keep`, compared with what parsing it says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileKeep } from '../../../engine/layout/keep.ts';
import { claimsKind, describeDocuments, hasPlainOutline } from '../../../engine/yaml/core/kinds.ts';

const RULES = ['format:sops', 'kind:Secret', 'kind:SealedSecret'];
const KINDS = ['Secret', 'SealedSecret'];

const line = fc.oneof(
  fc.constantFrom(
    '---',
    '--- # next',
    '--- {kind: Secret}',
    '...',
    '%YAML 1.2',
    '',
    '# a Secret',
    'apiVersion: v1',
    'kind: Deployment',
    'kind: SecretStore',
    'kind: Secret',
    'kind: "Secret"',
    'kind:',
    '  Secret',
    'kind: Deployment # not a Secret',
    'kind: &a Secret',
    '"kind": Secret',
    '? kind',
    ': Secret',
    'kind: List',
    'items:',
    '  - kind: Secret',
    '  - {kind: Secret, metadata: {name: a}}',
    '- kind: Secret',
    '{kind: Secret}',
    'metadata:',
    '  name: a',
    '  kind: Secret',
    'text: |',
    'text: "one',
    'two"',
    "text: 'one",
    '<<: *a',
    'base: &a {kind: Secret}',
    'sops:',
    '  mac: x',
    '"\\x6bind": Secret',
    'secret: "Secret"\r',
    '\tkind: Secret',
    '{{ if .Values.secret }}',
    'key: {{ .Secret }}',
    '\uFEFFkind: Secret',
  ),
  fc.string({ unit: fc.constantFrom('k', 'ind', ': ', 'Secret', ' ', '-', '"', "'", '#', 'sops', '{', '}') }),
);
/** Ways to write a kind that are not `kind: Secret` on one line. */
const hidden = fc.constantFrom(
  'kind:',
  '  kind:',
  '- kind:',
  '? kind',
  '"kind":',
  "'kind':",
  '{kind:',
  'kind: >-',
  'kind: *a',
  'Secret',
  '  Secret',
  '    Secret',
  ': Secret',
  '  Secret}',
  '"Secret"}',
  'base: &a Secret',
  '*a : x',
  'a: 1',
  '  a: 1',
  '---',
  '# Secret',
  '',
  'kind: Deployment',
  'sops:',
  '  mac: x',
  '  sops:',
  '    mac: x',
);
const text = fc
  .oneof(fc.array(hidden, { maxLength: 5 }), fc.array(line, { maxLength: 6 }))
  .map((lines) => lines.join('\n'));

describe('a text with a plain outline', () => {
  it('describes nothing of the kinds that it was asked about', () => {
    fc.assert(
      fc.property(text, (content) => {
        if (!hasPlainOutline(content, KINDS) || KINDS.some((kind) => claimsKind(content, kind))) return;
        for (const { kind = '', sops, inside, items } of describeDocuments(content)) {
          expect(KINDS).not.toContain(kind);
          expect([sops, inside, items]).toEqual([false, undefined, undefined]);
        }
      }),
      { numRuns: 20_000 },
    );
  });

  it.each(['kind: Deployment\nspec:\n  secret: my Secret\n', '# Secret\n---\na: 1\n---\nb: a Secret\n'])(
    'is found without parsing: %j',
    (content) => {
      expect(compileKeep(RULES).isPlain(content)).toBe(true);
    },
  );

  it.each([
    '  kind: Secret\n  a: 1\n',
    'kind:\n  Secret\n',
    '? kind\n: Secret\n',
    'a: 1\n---\n  kind:\n    Secret\n',
    'a: 1\n---\n{"kind": Secret}\n',
    'base: &a Secret\nkind: *a\n',
    'kind: >-\n  Secret\n',
  ])('is not seen in %j', (content) => {
    expect(compileKeep(RULES).isPlain(content)).toBe(false);
  });
});
