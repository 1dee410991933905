import { describe, expect, it } from 'vitest';
import { indexOf, readObjects } from '../../../../engine/live/clusters/answers.ts';
import { problemOf } from '../../../../engine/live/clusters/kubectl-problems.ts';
import { isAskable, narrower, questionsFor } from '../../../../engine/live/clusters/questions.ts';
import type { ObjectQuery } from '../../../../engine/model/index.ts';

const query = (kind: string, namespace: string | null, name: string | null): ObjectQuery => ({
  apiVersion: kind === 'Service' ? 'v1' : 'apps/v1',
  kind,
  namespace,
  name,
});
const asked = (queries: readonly ObjectQuery[]) =>
  questionsFor(queries).map(({ of, namespace, words }) => ({ of, namespace, words }));
const many = (count: number, namespace: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => query('Deployment', namespace(index), `api-${index}`));

describe('questions', () => {
  it('asks for a few objects by name, a namespace at a time', () => {
    expect(
      asked([
        query('Deployment', 'shop', 'api'),
        query('Service', 'shop', 'api'),
        query('Deployment', 'pay', 'api'),
      ]),
    ).toEqual([
      { of: 'one', namespace: 'shop', words: ['Deployment.v1.apps/api', 'Service.v1./api'] },
      { of: 'one', namespace: 'pay', words: ['Deployment.v1.apps/api'] },
    ]);
  });

  it('asks once for two hundred services, of one namespace or of many', () => {
    expect(asked(many(200, () => 'shop'))).toEqual([
      { of: 'one', namespace: 'shop', words: ['Deployment.v1.apps'] },
    ]);
    expect(asked(many(200, (index) => `team-${index % 20}`))).toEqual([
      { of: 'all', namespace: null, words: ['Deployment.v1.apps'] },
    ]);
  });

  it('asks a namespace at a time where all of them are forbidden, and a kind at a time where one is unknown', () => {
    const [wide] = questionsFor([
      ...many(20, (index) => `team-${index % 2}`),
      query('Service', 'team-0', 'api'),
    ]);
    if (wide === undefined) throw new Error('it asks something');
    const byKind = narrower(wide);
    expect(byKind.map(({ of, words }) => ({ of, words }))).toEqual([
      { of: 'all', words: ['Deployment.v1.apps'] },
      { of: 'all', words: ['Service.v1.'] },
    ]);
    expect(byKind.flatMap(narrower).map(({ namespace, words }) => ({ namespace, words }))).toEqual([
      { namespace: 'team-0', words: ['Deployment.v1.apps'] },
      { namespace: 'team-1', words: ['Deployment.v1.apps'] },
      { namespace: 'team-0', words: ['Service.v1.'] },
    ]);
    expect(byKind.flatMap(narrower).flatMap(narrower)).toEqual([]);
  });

  it.each<[string, Partial<ObjectQuery>]>([
    ['a name that is an option', { name: '--all' }],
    ['a name with a slash', { name: 'a/b' }],
    ['a namespace that is an option', { namespace: '-A' }],
    ['a kind with a dot', { kind: 'Pod.v1' }],
    ['a version that is none', { apiVersion: 'apps/v1,secrets' }],
  ])('never asks for %s', (_, wrong) => {
    expect(isAskable({ ...query('Deployment', 'shop', 'api'), ...wrong })).toBe(false);
    expect(isAskable(query('Deployment', 'shop', 'api'))).toBe(true);
  });
});

describe('answers', () => {
  it('reads a list, one object, and nothing, and takes nothing else', () => {
    expect(readObjects('')).toEqual([]);
    expect(readObjects('{"kind":"List","items":[{"kind":"Pod"}]}')).toEqual([{ kind: 'Pod' }]);
    expect(readObjects('{"kind":"Pod"}')).toEqual([{ kind: 'Pod' }]);
    const others = ['<html>', '[]', 'null', '{"kind":"Status"}', '{"items":[1]}', '{"a":1}'];
    expect(others.filter((text) => readObjects(text) !== null)).toEqual([]);
  });

  it('finds objects by group, kind, namespace and name, in whichever version they come', () => {
    const object = {
      apiVersion: 'apps/v1beta2',
      kind: 'Deployment',
      metadata: { namespace: 'shop', name: 'api' },
    };
    const find = indexOf([
      object,
      { kind: 'Deployment' },
      { apiVersion: 1, kind: 'Deployment', metadata: {} },
    ]);
    expect(find(query('Deployment', 'shop', 'api'))).toEqual([object]);
    expect(find(query('Deployment', 'shop', null))).toEqual([object]);
    expect(find(query('Deployment', 'shop', 'other'))).toEqual([]);
    expect(find({ ...query('Deployment', 'shop', 'api'), apiVersion: 'extensions/v1' })).toEqual([]);
    expect(find(query('constructor', null, null))).toEqual([]);
  });
});

describe('what kubectl says', () => {
  it.each([
    ['error: You must be logged in to the server (Unauthorized)', 'CLUSTER_DENIED'],
    ['Error from server (Forbidden): pods is forbidden: User "x" cannot list', 'CLUSTER_DENIED'],
    ['Error from server (TooManyRequests): too many requests', 'CLUSTER_BUSY'],
    ['error: context "prod" does not exist', 'CLUSTER_UNKNOWN'],
    ['error: the server doesn\'t have a resource type "Application"', 'RESOURCE_UNKNOWN'],
    [
      'Unable to connect to the server: tls: failed to verify certificate: x509: unknown authority',
      'CLUSTER_AWAY',
    ],
    [
      'The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?',
      'CLUSTER_AWAY',
    ],
    ['Unable to connect to the server: context deadline exceeded (Client.Timeout exceeded)', 'CLUSTER_AWAY'],
    ['panic: something', 'CLUSTER_NONSENSE'],
  ])('%s', (stderr, code) => {
    expect(problemOf(stderr).code).toBe(code);
  });

  it('repeats nothing of it', () => {
    const { message } = problemOf('Get "https://user:hunter2@10.0.0.1/api": \u001b[31mUnauthorized');
    expect(message).not.toMatch(/hunter2|10\.0\.0\.1|\p{C}/u);
  });
});
