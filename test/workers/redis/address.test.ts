import { describe, expect, it } from 'vitest';
import { parseRedisAddress } from '../../../workers/redis/address.ts';

describe('an address of Redis', () => {
  it.each([
    ['redis://h', { kind: 'single', tls: false, shown: 'h:6379' }],
    ['redis://:p@h:7/2?family=6', { kind: 'single', password: 'p', shown: 'h:7' }],
    ['rediss://u:p%40q@h:7', { kind: 'single', tls: true, username: 'u', password: 'p@q' }],
    ['redis-cluster://a:1,b', { kind: 'cluster', tls: false, shown: 'a:1,b:6379', group: '' }],
    ['rediss-cluster://u:p@[::1]:1,b:2', { kind: 'cluster', tls: true, username: 'u', shown: '[::1]:1,b:2' }],
    ['redis-sentinel://a,b:5/prime', { kind: 'sentinel', group: 'prime', shown: 'a:26379,b:5' }],
    [
      'rediss-sentinel://:p@a/prime?sentinelUsername=w&sentinelPassword=s',
      { kind: 'sentinel', tls: true, sentinelLogin: { sentinelUsername: 'w', sentinelPassword: 's' } },
    ],
  ])('is read: %s', (address, expected) => {
    expect(parseRedisAddress(address)).toMatchObject(expected);
  });

  it('of several nodes names each of them, in their order', () => {
    const { nodes } = parseRedisAddress('redis-cluster://a:1,[::1]:2');
    expect(nodes).toEqual([
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
    ]);
  });

  it.each([
    'redis-cluster://jane:hunter2@',
    'redis-cluster://jane:hunter2@a:1,',
    'redis-cluster://jane:hunter2@a:0',
    'redis-cluster://jane:hunter2@a:65536',
    'redis-cluster://jane:hunter2@a:1,b:x',
    'redis-cluster://jane:hunter2@a:1/2',
    'redis-cluster://jane:hunter2@a:1?b=1',
    'redis-cluster://jane:hunter2%zz@a:1',
    'redis://jane:hunter2@a:1,b:2',
    'redis-sentinel://jane:hunter2@a:1',
    'redis-sentinel://jane:hunter2@a:1/',
    'redis-sentinel://jane:hunter2@a:1/one/two',
    'redis-sentinel://jane:hunter2@a:1/prime?password=hunter2',
    'redis-swarm://jane:hunter2@a:1',
    'http://jane:hunter2@a:1',
  ])('is refused without being repeated: %s', (address) => {
    let error: unknown;
    try {
      parseRedisAddress(address);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(JSON.stringify(error) + String(error)).not.toMatch(/hunter2|jane/);
  });
});
