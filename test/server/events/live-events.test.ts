/** What a worker recorded of a cluster is told: to who listens, to sinks, and to who reads metrics. */
import { describe, expect, it } from 'vitest';
import { createRecords } from '../../../server/events/records.ts';
import { createMetrics } from '../../../server/operation/metrics.ts';
import { messageOf } from '../../../server/webhooks/message.ts';
import { createSource } from '../../../server/webhooks/source.ts';
import { createLogger } from '../../../workers/index.ts';
import { isFailure, type ObservedDeployment } from '../../../engine/index.ts';
import { app, sceneOf } from '../../engine/live/watch/git-scene.ts';
import { JANE } from '../../helpers/repositories/engine.ts';
import { startApi } from '../../helpers/servers/api.ts';
import { closeAfterTest } from '../../helpers/run/lifetime.ts';
import { isProof } from '../../helpers/run/proof.ts';

const SINK = { name: 'team', format: 'standard', console: null } as const;

/** v2 is live, v3 degrades and is rolled back, which becomes live. */
async function story() {
  const scene = await sceneOf();
  const { engine, look, degrade, repo } = scene;
  await look('live');
  const { position } = await engine.deployments.events();
  const happen = async () => {
    await repo.replay([{ files: app('v3') }]);
    await look('live', 130_000);
    const [request] = await degrade();
    await engine.rollbacks.execute(request?.id ?? '');
    await look('live', 130_000);
    return request?.id ?? '';
  };
  return { ...scene, position, happen };
}

const nameOf = ({ state, version, automatic }: ObservedDeployment) =>
  `v${version} ${state} ${automatic?.request ?? ''}`.trim();

describe('what observers say of deployments', () => {
  it('is read in order from a position on, by sinks with ids that stay, and counted', async () => {
    const { engine, position, happen } = await story();
    const id = await happen();
    const page = await engine.deployments.events({ after: position, states: true });
    expect(page.events.map(nameOf)).toEqual(['v3 live', `v3 degraded ${id}`, 'v4 live']);
    expect(page.states).toEqual({ live: 1, pending: 0, degraded: 0 });
    expect(await engine.deployments.events({ after: page.position })).toMatchObject({ events: [] });
    const source = createSource(engine);
    const { found, cursor } = await source.records(position);
    expect(found.map(({ happening: { type } }) => type)).toEqual([
      'live',
      'degraded',
      'auto-rollback',
      'live',
    ]);
    expect(cursor).toBe(page.position);
    for (const { place, happening } of found) expect(await source.read(place)).toEqual(happening);
    const messages = found.map(({ happening }) => messageOf(SINK, happening));
    expect(new Set(messages.map((message) => message.id)).size).toBe(4);
    expect(JSON.parse(messages[2]?.body ?? '')).toMatchObject({
      type: 'auto-rollback',
      data: { deployment: { scope: 'prod/api', automatic: { request: id, refused: null } } },
    });
    const metrics = createMetrics({ version: '1', now: () => 0 });
    metrics.live(page);
    const text = await metrics.text();
    expect(text).toContain('backtrail_live_states{state="live"} 1');
    expect(text).toContain('backtrail_time_to_live_seconds_count 1');
  });

  it('is told to whoever listens, and not to who may not read it', async () => {
    const { engine, happen } = await story();
    const heard: string[] = [];
    const logger = createLogger({ destination: { write: () => undefined } });
    const records = createRecords({
      engine,
      logger,
      told: (events, mayRead) => {
        for (const each of events) if (mayRead(JANE, each.scope)) heard.push(nameOf(each));
      },
    });
    closeAfterTest(() => records.close());
    await records.ready();
    records.listen(true);
    const id = await happen();
    await expect.poll(() => heard, { timeout: 20_000 }).toContain('v4 live');
    expect(heard).toContain(`v3 degraded ${id}`);
  });

  it.runIf(isProof)('is in the stream of events, by its own names', async () => {
    const { engine, happen } = await story();
    const api = await startApi(engine, {});
    const stop = new AbortController();
    const response = await fetch(`${api.url}/api/v1/events`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${api.token}` },
      signal: stop.signal,
    });
    closeAfterTest(() => stop.abort());
    let text = '';
    const reading = (async () => {
      for await (const part of response.body ?? []) text += Buffer.from(part).toString();
    })().catch(() => undefined);
    await expect.poll(() => text, { timeout: 20_000 }).toContain('event: ready');
    await happen();
    await expect.poll(() => text, { timeout: 20_000 }).toContain('event: auto-rollback');
    expect(text).toContain('event: degraded');
    stop.abort();
    await reading;
  });

  it('refuses a position that is none, and one of other records', async () => {
    const { engine } = await story();
    const codeOf = async (after: string) =>
      engine.deployments.events({ after }).then(
        () => null,
        (error: unknown) => (isFailure(error) ? error.code : error),
      );
    expect(await codeOf('--all')).toBe('INVALID_REQUEST');
    expect(await codeOf('a'.repeat(40))).toBe('EVENT_UNKNOWN');
  });
});
