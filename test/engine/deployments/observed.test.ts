/** What an observer says of a deployment becomes a status of its record, once. */
import { describe, expect, it } from 'vitest';
import { nextEvents } from '../../../engine/deployments/observed-events.ts';
import { printDeploymentEvent, readDeploymentEvent } from '../../../engine/record/deployment-file.ts';
import { foldDeployment } from '../../../engine/record/deployment-transitions.ts';
import { type DeploymentEvent, type DeploymentStatus } from '../../../engine/model/index.ts';

const REVISION = 'a'.repeat(40);
const OLDER = 'b'.repeat(40);
const ID = (digit: string) => `dep-${'0'.repeat(25)}${digit}`;
const content = { images: ['api:v2'], charts: [], secret: null };
const positions = new Map([
  [REVISION, 0],
  [OLDER, 1],
]);
const actor = { name: 'Watch', email: 'watch@example.com' };
const at = '2026-11-01T00:00:00Z';

function stamp(event: Omit<DeploymentEvent, 'id' | 'at' | 'actor'>): DeploymentEvent {
  return { id: 'evt-00000000000000000000000000', at, actor, ...event };
}

const opened = (id: string, status: DeploymentStatus, commit = REVISION) =>
  stamp({
    deployment: id,
    status,
    opening: {
      environment: 'prod',
      service: 'api',
      commit,
      version: 2,
      images: [],
      charts: [],
      source: 'backtrail',
      rollback: null,
    },
    note: null,
    migration: null,
    images: [],
    by: null,
  });

/** The records after an observer said these of the revision, one after another. */
function after(status: DeploymentStatus | null, said: readonly ('deployed' | 'failed')[]) {
  const events = new Map<string, DeploymentEvent[]>();
  if (status !== null) events.set(ID('0'), [opened(ID('0'), status)]);
  let made = 0;
  const records = () =>
    [...events.values()]
      .map((own) => foldDeployment(own))
      .filter((state) => state !== null)
      .toReversed();
  for (const next of said) {
    const of = {
      environment: 'prod',
      service: 'api',
      commit: REVISION,
      version: 2,
      note: null,
      status: next,
    };
    const makeId = () => ID(String((made += 1)));
    const found = nextEvents({ of, records: records(), content, positions, makeId });
    for (const event of found === 'ended' ? [] : found)
      events.set(event.deployment, [...(events.get(event.deployment) ?? []), stamp(event)]);
  }
  return { records: records(), events: [...events.values()].flat() };
}

describe('what is observed of a deployment', () => {
  it('is the next status of the record that waits for it, and says that an observer said it', () => {
    const { records } = after('pending', ['deployed']);
    expect(records).toMatchObject([
      { id: ID('0'), status: 'deployed', source: 'backtrail', sources: { deployed: 'observer' } },
    ]);
  });

  it('opens a record where there is none', () => {
    const { records } = after(null, ['failed']);
    expect(records).toMatchObject([
      {
        id: ID('1'),
        status: 'failed',
        source: 'observer',
        images: ['api:v2'],
        sources: { failed: 'observer' },
      },
    ]);
  });

  it('writes nothing where the record says so already', () => {
    expect(after('deployed', ['deployed', 'deployed']).events).toHaveLength(1);
  });

  it('has an end, however often it changes its mind', () => {
    const flapping = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? 'failed' : 'deployed'));
    const { records, events } = after('pending', flapping);
    expect(records.map(({ status }) => status)).toEqual(['failed', 'failed']);
    expect(events).toHaveLength(4);
  });

  it.each(['rolled_back', 'superseded', 'decommissioned'] as const)('opens none after %s', (status) => {
    const over = foldDeployment([opened(ID('0'), 'deployed')]);
    const records = over === null ? [] : [{ ...over, status }];
    const of = { environment: 'prod', service: 'api', commit: REVISION, version: 2, note: null };
    const asked = { records, content, positions, makeId: () => ID('1') };
    expect(nextEvents({ ...asked, of: { ...of, status: 'deployed' } })).toBe('ended');
  });

  it('ends what waited for an older revision, and nothing newer', () => {
    const waiting = [OLDER, 'c'.repeat(40)].flatMap(
      (commit, index) => foldDeployment([opened(ID(String(index)), 'pending', commit)]) ?? [],
    );
    const of = { environment: 'prod', service: 'api', commit: REVISION, version: 2, note: null };
    const found = nextEvents({
      of: { ...of, status: 'deployed' },
      records: waiting,
      content,
      positions,
      makeId: () => ID('9'),
    });
    expect(found).toMatchObject([
      { deployment: ID('9'), status: 'deployed' },
      { deployment: ID('0'), status: 'superseded', by: ID('9') },
    ]);
  });
});

describe('a record of an observer', () => {
  const [, event] = after('pending', ['failed']).events;
  const path = `deployments/1970-01/00/${ID('0')}/evt-00000000000000000000000000.json`;

  it('is read as it was written', () => {
    if (event === undefined) throw new Error('There is none.');
    const automatic = { request: null, refused: 'AUTO_LIMIT' };
    const text = printDeploymentEvent({ ...event, automatic });
    expect(JSON.parse(text)).toMatchObject({ version: 3 });
    expect(readDeploymentEvent(text, path)).toEqual({ ...event, automatic });
  });

  it('is refused where it claims a form that it does not have', () => {
    if (event === undefined) throw new Error('There is none.');
    const text = printDeploymentEvent(event).replace('"version": 3', '"version": 1');
    const read = () => readDeploymentEvent(text, path);
    expect(read).toThrow(expect.objectContaining({ code: 'LEDGER_TAMPERED' }));
  });
});
