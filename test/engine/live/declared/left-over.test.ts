import { expect, it } from 'vitest';
import { leftOver } from '../../../../engine/live/declared/left-over.ts';

const KEY = 'kubectl.kubernetes.io/last-applied-configuration';
const of = (container: object, annotations: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'api', annotations },
  spec: { template: { spec: { containers: [{ name: 'api', ...container }] } } },
});
const env = (...names: string[]) => ({ env: names.map((name) => ({ name, value: '1' })) });
const applied = (former: object, live: object) => of(live, { [KEY]: JSON.stringify(of(former)) });
const API = '/spec/template/spec/containers/[name=api]';

it('finds what was applied, is not declared any more, and is still there', () => {
  expect(leftOver(of(env('A')), applied(env('A', 'B'), env('A', 'B')))).toEqual([`${API}/env/[name=B]`]);
  expect(leftOver(of({}), applied(env('A'), env('A')))).toEqual([`${API}/env`]);
  const limits = (cpu?: string) => ({ resources: { limits: { memory: '1Gi', ...(cpu && { cpu }) } } });
  expect(leftOver(of(limits()), applied(limits('1'), limits('1')))).toEqual([`${API}/resources/limits/cpu`]);
});

it('finds nothing that is gone, was changed since, or that somebody else added', () => {
  expect(leftOver(of(env('A')), applied(env('A', 'B'), env('A')))).toEqual([]);
  expect(leftOver(of(env('A')), applied(env('A'), env('A', 'B')))).toEqual([]);
  expect(leftOver(of({}), applied(env('A'), {}))).toEqual([]);
});

it('takes no default that the API server brings back for what is left', () => {
  expect(leftOver(of({}), applied({ imagePullPolicy: 'Always' }, { imagePullPolicy: 'Always' }))).toEqual([]);
});

it.each(['', '{', '[]', '"x"', `{"a":"${'x'.repeat(300_001)}"}`])(
  'reads nothing into an annotation that holds no object: %.20s',
  (text) => {
    expect(leftOver(of({}), of(env('A'), { [KEY]: text }))).toEqual([]);
  },
);
