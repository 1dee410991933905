/** Limits, errors, silence, redirects and tokens that come back: what all kinds of code hosts have in common, which is one module. */
import { describe, expect, it } from 'vitest';
import { HOST_KINDS } from '../../../engine/model/index.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { closeAfterFile } from '../../helpers/run/lifetime.ts';
import { startHost } from '../../helpers/servers/host/host.ts';
import { CREATE_CALL, MERGE_CALL, merging, READ_CALL, useHost } from './contract-scene.ts';

describe.each(isProof ? HOST_KINDS : (['github'] as const))('%s', (kind) => {
  const on = useHost(kind);

  it('waits as long as the host asks, also before it writes', async () => {
    const { number, head } = await on.propose();
    await on.client.read(number);
    on.clock.slept.splice(0);
    on.server.rateLimit({ retryAfter: 30, match: MERGE_CALL });
    expect(await on.client.merge(number, merging(head))).toBe('merged');
    expect(on.clock.slept).toEqual([30_000]);
  });

  it('does not wait longer than a minute, and asks nothing until then', async () => {
    const { number } = on.shared;
    on.server.rateLimit({ retryAfter: 3600, match: READ_CALL });
    on.server.calls.splice(0);
    const first = await on.failure(on.client.read(number));
    expect(first).toMatchObject({ code: 'HOST_UNAVAILABLE', details: { retryAfterMs: 3_600_000 } });
    expect((await on.failure(on.client.listOpen())).details).toMatchObject({ retryAfterMs: 3_600_000 });
    expect(on.server.calls).toHaveLength(1);
    await on.clock.sleep(3_590_000);
    expect(await on.client.read(number)).toMatchObject({ number });
    expect(on.clock.slept.at(1)).toBe(10_000);
  });

  it.each([
    [401, 'HOST_DENIED'],
    [403, 'HOST_DENIED'],
    [404, 'HOST_DENIED'],
    [422, 'HOST_REFUSED'],
    [400, 'HOST_REFUSED'],
  ])('says %i as %s, in the words of the host, and does not try again', async (status, code) => {
    const { number } = on.shared;
    on.server.fail({ match: READ_CALL, status, body: { message: 'Not \u001b[31mnow\n<b>' } });
    on.server.calls.splice(0);
    const found = await on.failure(on.client.read(number));
    expect(found).toMatchObject({ code, details: { status } });
    expect(found.message).toMatch(/^127\.0\.0\.1:[0-9]+ .*\([0-9]+\): Not \[31mnow <b>$/);
    expect(on.server.calls).toHaveLength(1);
  });

  it('tries a read again after an error of the host and a cut answer, and a write never', async () => {
    const { number, head } = await on.propose();
    on.server.fail({ match: READ_CALL, status: 502, body: '<html>' });
    on.server.cut(READ_CALL);
    expect(await on.client.read(number)).toMatchObject({ number });
    expect(on.clock.slept.slice(0, 2)).toEqual([1000, 4000]);
    on.server.fail({ match: READ_CALL, status: 500, times: 3 });
    expect(await on.failure(on.client.read(number))).toMatchObject({ code: 'HOST_UNAVAILABLE' });
    on.server.fail({ match: MERGE_CALL, status: 500 });
    expect(await on.failure(on.client.merge(number, merging(head)))).toMatchObject({
      code: 'HOST_UNAVAILABLE',
    });
    expect((await on.server.pull(number)).state).toBe('open');
    on.server.loseAnswer(MERGE_CALL);
    expect(await on.failure(on.client.merge(number, merging(head)))).toMatchObject({
      code: 'HOST_UNAVAILABLE',
    });
    expect((await on.client.read(number)).state).toBe('merged');
  });

  it('gives up on a host that does not answer', async () => {
    const { number } = on.shared;
    const impatient = await on.open(200);
    const held = on.server.hold(READ_CALL);
    expect(await on.failure(impatient.read(number))).toMatchObject({
      code: 'HOST_UNAVAILABLE',
      message: expect.stringContaining('no answer in 0.2 s'),
    });
    held.release();
  });

  it.each([[''], ['<html>Sign in</html>'], ['['], [{ number: -1 }], [[]]])(
    'takes %j for no answer',
    async (body) => {
      const { number } = on.shared;
      on.server.fail({ match: READ_CALL, status: 200, body });
      expect(await on.failure(on.client.read(number))).toMatchObject({ code: 'HOST_UNAVAILABLE' });
    },
  );

  it('follows a redirect to itself, and none to another host, to which no token goes', async () => {
    const { number } = on.shared;
    const { calls } = on.server;
    on.server.redirectTo(`${on.server.api}${readPath(number)}`, READ_CALL);
    expect(await on.client.read(number)).toMatchObject({ number });
    const other = await startHost({ kind, bare: on.repo.folder });
    closeAfterFile(() => other.close());
    for (const status of [301, 302, 307, 308] as const) {
      calls.splice(0);
      on.server.redirectTo(`${other.api}${readPath(number)}`, READ_CALL, status);
      expect(await on.failure(on.client.read(number))).toMatchObject({ code: 'HOST_REFUSED' });
    }
    expect(other.calls).toEqual([]);
    on.server.redirectTo(`${on.server.api}${readPath(number)}`, /./);
    for (let i = 0; i < 5; i += 1) on.server.redirectTo(`${on.server.api}${readPath(number)}`, READ_CALL);
    expect(await on.failure(on.client.read(number))).toMatchObject({ code: 'HOST_REFUSED' });
  });

  const readPath = (number: number) => `${on.listPath()}/${number}`;

  it('shows no token, also where the host repeats it', async () => {
    const { number } = on.shared;
    on.server.echoToken(READ_CALL);
    expect((await on.failure(on.client.read(number))).message).toContain('The token *** may not do this.');
    on.server.echoToken(CREATE_CALL);
    const { branch } = await on.push();
    const input = { branch, into: 'main', title: 'Roll back', body: '', labels: [] };
    expect((await on.failure(on.client.create(input))).message).toContain('***');
  });
});
