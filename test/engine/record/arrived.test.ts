import { describe, expect, it } from 'vitest';
import {
  type ArrivedChange,
  type Arrivals,
  type LogCommit,
  NO_ARRIVALS,
} from '../../../engine/model/index.ts';
import { isResumeOf, recordsAt, rollbacksIn } from '../../../engine/record/arrived.ts';

const idOf = (digit: string) => `rbk-${digit.repeat(26)}`;
const rollback = (id: string, service: string) => [
  'Mode: service',
  `Service: ${service}`,
  'Justification: v2 answers 500',
  'Author: jane@example.com',
  `Rollback-Request-ID: ${id}`,
  'Rollback-Environment: prod',
  `Rollback-Target: ${'1'.repeat(40)}`,
];
const resume = (id: string) => [`Resume-Request-ID: ${id}`];
const commit = (digit: string, trailers: readonly string[], parents = 1): LogCommit => ({
  id: digit.repeat(40),
  parents: Array.from({ length: parents }, () => '0'.repeat(40)),
  author: { name: 'Host', email: 'host@example.com' },
  time: '2026-11-28T10:00:00.000Z',
  subject: 'x',
  trailers,
  reverts: [],
  changes: [],
});
const arrivedAt = (at: LogCommit, requestId: string, trailers: readonly string[]): ArrivedChange => ({
  requestId,
  commit: at,
  deliveryCommit: null,
  trailers,
  author: { name: 'Jane', email: 'jane@example.com' },
  how: 'squash',
  link: null,
});
const arrivalsOf = (...changes: readonly ArrivedChange[]): Arrivals => ({
  at: new Map(changes.map(({ commit: { id } }) => [id, changes.filter((one) => one.commit.id === id)])),
  of: new Map(changes.map((change) => [change.requestId, change])),
});
const services = (arrivals: Arrivals, of: LogCommit) =>
  rollbacksIn(recordsAt(arrivals, of)).map(({ service }) => service);

describe('the records of a commit', () => {
  const [a, b] = [rollback(idOf('A'), 'a'), rollback(idOf('B'), 'b')];

  it('are those of its message where nothing arrived', () => {
    expect(services(NO_ARRIVALS, commit('1', a))).toEqual(['a']);
    expect(services(NO_ARRIVALS, commit('1', []))).toEqual([]);
  });

  it('are those of what arrived, however much of it the message repeats', () => {
    for (const trailers of [[], a, b, [...a, ...b]]) {
      const at = commit('1', trailers);
      const arrivals = arrivalsOf(arrivedAt(at, idOf('A'), a), arrivedAt(at, idOf('B'), b));
      expect(services(arrivals, at)).toEqual(['a', 'b']);
    }
  });

  it('have that of its message besides, where it is another one', () => {
    const at = commit('1', b);
    expect(services(arrivalsOf(arrivedAt(at, idOf('A'), a)), at)).toEqual(['a', 'b']);
  });

  it('are none for a merge that repeats what came with another commit, and one for a copy that does it again', () => {
    const arrivals = arrivalsOf(arrivedAt(commit('1', []), idOf('A'), a));
    expect(services(arrivals, commit('2', a, 2))).toEqual([]);
    expect(services(arrivals, commit('2', a))).toEqual(['a']);
  });

  it('make a resume of it only where no rollback concerns the scope', () => {
    const at = commit('1', []);
    const both = recordsAt(
      arrivalsOf(arrivedAt(at, idOf('A'), a), arrivedAt(at, idOf('B'), resume(idOf('B')))),
      at,
    );
    const isResume = (service: string) => isResumeOf({ environment: 'prod', service }, both);
    expect([isResume('a'), isResume('b')]).toEqual([false, true]);
    expect(isResumeOf({ environment: 'prod' }, recordsAt(NO_ARRIVALS, commit('1', resume(idOf('B')))))).toBe(
      true,
    );
  });
});
