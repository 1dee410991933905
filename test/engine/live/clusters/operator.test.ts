import { describe, expect, it } from 'vitest';
import { parseClusters } from '../../../../engine/live/clusters/operator.ts';

const parse = (text: string) => parseClusters(text, '/etc/backtrail');

describe("the operator's file of clusters", () => {
  it('names contexts of kubectl and addresses of Argo CD, with paths from its own folder', () => {
    const found = parse(
      'prod-eu: { context: gke_acme_prod-eu, kubeconfig: eu.kubeconfig, timeout: 5 }\nprod-us: { argocd: "https://argocd.example.com/", token: us.token, project: apps }\n',
    );
    expect([...found]).toEqual([
      [
        'prod-eu',
        {
          kind: 'kubernetes',
          context: 'gke_acme_prod-eu',
          kubeconfig: '/etc/backtrail/eu.kubeconfig',
          timeoutSeconds: 5,
        },
      ],
      [
        'prod-us',
        {
          kind: 'argocd',
          address: 'https://argocd.example.com',
          tokenFile: '/etc/backtrail/us.token',
          caFile: null,
          project: 'apps',
          timeoutSeconds: 10,
        },
      ],
    ]);
  });

  it.each([
    ['[]', 'has a value of the wrong type'],
    ['{ ', 'is not YAML'],
    ['-x: { context: a }', 'names a cluster that is none: -x'],
    ['a: { context: "--kubeconfig=/etc/passwd" }', 'has a context for a that is none'],
    ['a: { context: "" }', 'has a value'],
    ['a: { argocd: "http://argocd.example.com", token: t }', 'is not https'],
    ['a: { argocd: "https://user:pass@argocd.example.com", token: t }', 'is not https'],
    ['a: { argocd: "https://argocd.example.com" }', 'has a value'],
    ['a: { context: a, timeout: 0 }', 'has a value'],
  ])('refuses %s', (text, message) => {
    expect(() => parse(`${text}\n`)).toThrow(message);
  });

  it('has nothing of its prototype', () => {
    expect([...parse('{"__proto__": { "context": "a" } }').keys()]).toEqual([]);
    expect(parse('a: { context: a }').get('constructor')).toBeUndefined();
  });
});
