/** Where webhooks are sent to, and where never. */
import { describe, expect, it } from 'vitest';
import { isAllowedAddress } from '../../../server/webhooks/addresses.ts';

describe('an address', () => {
  it.each([
    ['8.8.8.8', true, true],
    ['2606:4700::1111', true, true],
    ['64:ff9b::808:808', true, true],
    ['127.0.0.1', false, true],
    ['10.1.2.3', false, true],
    ['172.31.0.1', false, true],
    ['192.168.1.1', false, true],
    ['100.64.0.1', false, true],
    ['::1', false, true],
    ['fd12::1', false, true],
    ['::ffff:10.0.0.1', false, true],
    ['::ffff:127.0.0.1', false, true],
    ['64:ff9b::a00:1', false, true],
    ['169.254.169.254', false, false],
    ['::ffff:169.254.169.254', false, false],
    ['fd00:ec2::254', false, false],
    ['fd20:ce::254', false, false],
    ['168.63.129.16', false, false],
    ['64:ff9b::a83f:8110', false, false],
    ['0.0.0.0', false, false],
    ['224.0.0.1', false, false],
    ['255.255.255.255', false, false],
    ['fe80::1', false, false],
    ['fe80::1%eth0', false, false],
    ['::', false, false],
    ['::7f00:1', false, false],
    ['2002:7f00:1::', false, false],
    ['2001:db8::1', false, false],
    ['example.com', false, false],
  ])('%s is sent to: %s, within a private network: %s', (address, isPublic, isPrivate) => {
    expect([isAllowedAddress(address, false), isAllowedAddress(address, true)]).toEqual([
      isPublic,
      isPrivate,
    ]);
  });
});
