import { describe, expect, it } from 'vitest';
import { describeDocuments, holdsKind, isSopsFile } from '../../../engine/yaml/kinds.ts';

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
    expect(holdsKind('kind: Secret\na: 1\na: 2\n', 'Secret')).toBe(true);
    expect(holdsKind('kind: SecretStore\n', 'Secret')).toBe(false);
  });

  it('gives nothing for a text that does not parse or names no kind', () => {
    expect(describeDocuments('kind: [\n')).toEqual([]);
    expect(describeDocuments('a: 1\n')).toEqual([]);
    expect(describeDocuments('kind '.repeat(10))).toEqual([]);
    expect(describeDocuments('')).toEqual([]);
  });
});
