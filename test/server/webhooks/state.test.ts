/** What is kept of what was sent to webhooks: a folder that servers share, and that may be older than the truth. */
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/internal.ts';
import { messageId } from '../../../server/webhooks/happening.ts';
import { takeTurns } from '../../../workers/index.ts';
import { ask, configOf, policedRepo } from '../../helpers/people/requests.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { useRedis } from '../../helpers/servers/redis.ts';
import { freshState, idsOf, isSending, POLICY, receive, send, sinkOf, three } from './scene.ts';
import { isProof } from '../../helpers/run/proof.ts';

const redis = useRedis();

let engine: Engine;
beforeAll(async () => {
  engine = await engineOf(await policedRepo(configOf(POLICY)), { lives: 'file' });
});

describe('a state folder', () => {
  it('that is older than what was sent, or gone, has it sent again with the same ids; a new sink begins now', async () => {
    const receiver = await receive();
    const first = await send([sinkOf(receiver)], { of: engine });
    await expect.poll(() => isSending(first)).toBe(true);
    const file = join(first.folder, 'webhooks.json');
    await expect.poll(() => readFile(file, 'utf8')).toContain('team');
    await first.close();
    await copyFile(file, `${file}.before`);
    await three(engine);
    const second = await send([sinkOf(receiver)], { of: engine, folder: first.folder });
    await expect.poll(() => receiver.taken.length).toBe(3);
    await second.close();
    // As after a crash before it was written down.
    await copyFile(`${file}.before`, file);
    const third = await send([sinkOf(receiver)], { of: engine, folder: first.folder });
    await expect.poll(() => receiver.taken.length).toBe(6);
    await third.close();
    expect(idsOf(receiver.taken.slice(3))).toEqual(idsOf(receiver.taken.slice(0, 3)));
    expect(receiver.taken.slice(3).map(({ text }) => text)).toEqual(
      receiver.taken.slice(0, 3).map(({ text }) => text),
    );
    await rm(file);
    const [all, fresh] = [await receive(), await receive()];
    const fourth = await send([sinkOf(all)], { of: engine, folder: first.folder });
    const { events } = await engine.requests.events({ after: '0', limit: 1000 });
    await expect.poll(() => all.taken.length).toBe(events.length);
    expect(idsOf(all.taken)).toEqual(expect.arrayContaining(idsOf(receiver.taken)));
    await fourth.close();
    const fifth = await send([sinkOf(all), sinkOf(fresh, { name: 'fresh' })], {
      of: engine,
      folder: first.folder,
    });
    await expect.poll(() => isSending(fifth)).toBe(true);
    const id = await three(engine);
    fifth.look();
    await expect.poll(() => fresh.taken.map(({ body }) => body.data.request.id)).toEqual([id, id, id]);
    await expect.poll(() => all.taken.length).toBe(events.length + 3);
    expect(idsOf(fresh.taken)).not.toEqual(idsOf(all.taken.slice(-3)));
    await fifth.close();
    // As little as is asked for.
    await rm(file);
    const late = await receive();
    await send([sinkOf(late, { from: Date.parse('2100-01-01') }), sinkOf(fresh, { name: 'fresh' })], {
      of: engine,
      folder: first.folder,
    });
    await expect.poll(() => fresh.taken.length).toBe(events.length + 6);
    expect(late.heard).toEqual([]);
  });

  it.runIf(isProof)(
    'that names places of a ledger that was written anew loses nothing of what waits',
    async () => {
      const { id } = await ask(engine, JANE, 'prod/api', { propose: true });
      for (const text of 'abcde') await engine.requests.note({ id, actor: JANE, text });
      await engine.requests.cancel({ id, actor: JANE });
      const { events } = await engine.requests.events({ after: '0', limit: 1000 });
      const own = events.filter(({ requestId }) => requestId === id);
      const after = `${'0'.repeat(40)}.1`;
      const waiting = own.map(({ eventId, at }) => ({
        id: messageId('team', { id: `${id} ${eventId}` }),
        of: id,
        at,
        place: { after },
      }));
      const cursor = { position: after, branch: { commit: null, time: Date.now() }, waiting };
      const folder = await freshState();
      await writeFile(join(folder, 'webhooks.json'), JSON.stringify({ version: 1, sinks: { team: cursor } }));
      const receiver = await receive();
      await send([sinkOf(receiver)], { of: engine, folder });
      const told = () => receiver.taken.filter(({ body }) => body.data.event.requestId === id);
      await expect.poll(() => idsOf(told()).toSorted()).toEqual(waiting.map((each) => each.id).toSorted());
    },
  );

  it('and Redis are shared by servers, of which one sends, and another one when it ends', async () => {
    const receiver = await receive();
    const folder = await freshState();
    const turn = () => takeTurns({ redisUrl: redis.url, name: 'webhooks of a test' });
    const one = await send([sinkOf(receiver)], { of: engine, folder, turn: turn() });
    await expect.poll(() => isSending(one)).toBe(true);
    const other = await send([sinkOf(receiver)], { of: engine, folder, turn: turn() });
    await three(engine);
    one.look();
    await expect.poll(() => receiver.taken.length).toBe(3);
    expect(isSending(other)).toBe(false);
    await one.close();
    await expect.poll(() => isSending(other)).toBe(true);
    await three(engine);
    other.look();
    await expect.poll(() => receiver.taken.length).toBe(6);
    expect(new Set(idsOf(receiver.taken)).size).toBe(6);
  });
});
