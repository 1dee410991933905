import { describe, expect, it } from 'vitest';
import { claimsKind, describeDocuments } from '../../../engine/yaml/core/kinds.ts';

const isSopsFile = (text: string) => describeDocuments(text).some(({ sops }) => sops);

describe('describeDocuments', () => {
  it('says what each document is', () => {
    const text = [
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: shop}\n',
      '# empty\n',
      '{"kind": "Secret", "metadata": {"name": 7}}\n',
      'kind: *x\n__proto__: {sops: {mac: 1}}\nx: &x Secret\n',
    ].join('---\n');
    expect(describeDocuments(text)).toEqual([
      { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api', namespace: 'shop', sops: false },
      { kind: 'Secret', name: '7', sops: false },
      { sops: false },
    ]);
  });

  it('recognises what SOPS encrypted', () => {
    const encrypted =
      'a: ENC[AES256_GCM,data:x]\nsops:\n  age: []\n  lastmodified: "2026-01-01T00:00:00Z"\n  mac: ENC[x]\n';
    expect(isSopsFile(encrypted)).toBe(true);
    expect(isSopsFile(JSON.stringify({ a: 'ENC[x]', sops: { mac: 'ENC[y]' } }))).toBe(true);
    expect(isSopsFile('sops: true\n')).toBe(false);
    expect(isSopsFile('# sops\na: {sops: {mac: 1}}\n')).toBe(false);
  });

  it('finds a Secret in a file that editing would refuse', () => {
    expect(describeDocuments('kind: Secret\na: 1\na: 2\n')).toEqual([{ kind: 'Secret', sops: false }]);
  });

  it('gives nothing for a text that does not parse or names no kind', () => {
    expect(describeDocuments('kind: [\n')).toEqual([]);
    expect(describeDocuments('a: 1\n')).toEqual([]);
    expect(describeDocuments('kind '.repeat(10))).toEqual([]);
    expect(describeDocuments('')).toEqual([]);
  });

  it.each([
    ['a List', 'kind: List\nitems:\n- kind: Secret\n- kind: ConfigMap\n', ['Secret', 'ConfigMap']],
    ['a list of one kind', 'kind: SecretList\nitems: [{ data: {} }]\n', ['Secret']],
    ['an array', '[{"kind": "Secret"}, {"kind": "Service"}]', ['Secret', 'Service']],
    ['a list in an array', '[{"kind": "List", "items": [{"kind": "Secret"}]}]', ['List', 'Secret']],
    ['an alias', 'x: &x [{kind: Secret}]\nkind: List\nitems: *x\n', ['Secret']],
  ])('says what is in %s', (_, text, inside) => {
    expect(describeDocuments(text)).toMatchObject([{ inside }]);
  });

  it('is not caught by a list that holds itself', () => {
    const text = '- &a [*a, *a, {kind: Secret}]\n'.repeat(200);
    expect(describeDocuments(text)).toMatchObject([{ inside: ['Secret'] }]);
  });
});

describe('claimsKind', () => {
  it('sees a kind however a text writes it, and no other kind', () => {
    for (const text of [
      '{"kind":"Secret",',
      '- kind: Secret',
      "kind = 'Secret'",
      '"kind" : !!str Secret',
      'kind: SecretList',
    ])
      expect(claimsKind(`{{ x }}\n${text}\n`, 'Secret')).toBe(true);
    for (const text of [
      'kind: SecretStore',
      'mankind: Secret',
      'kind: x # Secret',
      'kind: Secret-x',
      'Kind: Secret',
    ])
      expect(claimsKind(text, 'Secret')).toBe(false);
  });
});
