/** An attacker may push anything to the repository, and knows git: nothing that they write into the ledger is executed. */
import { describe, expect, it } from 'vitest';
import { requestPath } from '../../../engine/record/ledger-file.ts';
import {
  approvalBy,
  eventId,
  fileOf,
  forge,
  forgeEvent,
  messageOf,
  print,
  TIME,
} from '../../helpers/people/forge.ts';
import { approve, LEDGER, policyOf } from '../../helpers/people/scene.ts';
import { MALLORY, pending, refusal } from './refusal.ts';
import { isProof } from '../../helpers/run/proof.ts';

describe('a past that was changed', () => {
  it('is found where an event was taken out', async () => {
    const stage = await pending();
    const { repo, asked, bob, carol } = stage;
    await approve(await stage.as(bob), asked);
    await (await stage.as(carol)).engine.requests.note({
      id: asked.id,
      actor: carol.person,
      text: 'Wait: the database moved on',
    });
    const { events, ...file } = await fileOf(repo, asked.id);
    await forge(repo, {
      files: { [requestPath(asked.id)]: print({ ...file, events: events.slice(0, -1) }) },
      author: carol.person,
      message: 'Tidy up',
    });
    expect(await refusal(stage, asked.id)).toBe('LEDGER_TAMPERED');
  });

  it.runIf(isProof)('is found where the state was edited without an event', async () => {
    const stage = await pending();
    const { repo, asked } = stage;
    const file = await fileOf(repo, asked.id);
    await forge(repo, {
      files: { [requestPath(asked.id)]: print({ ...file, state: { ...file.state, status: 'approved' } }) },
      author: MALLORY,
      message: 'Approved',
    });
    expect(await refusal(stage, asked.id)).toBe('LEDGER_TAMPERED');
  });

  it.runIf(isProof)('is found where an earlier event was rewritten together with a new one', async () => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    const file = await fileOf(repo, asked.id);
    const [opened] = file.events;
    const other = { ...opened, proposal: { ...opened?.proposal, allowRemoval: true } };
    const vote = approvalBy(bob.person, asked.digest);
    await forge(repo, {
      files: { [requestPath(asked.id)]: print({ ...file, events: [other, vote] }) },
      author: bob.person,
      message: messageOf(vote, asked.id),
    });
    expect(await refusal(stage, asked.id)).toBe('LEDGER_TAMPERED');
  });

  it.runIf(isProof)('is found where a merge leaves out what came after the approval', async () => {
    const stage = await pending(policyOf('quorum: 2, rejections: 1'));
    const { repo, asked, bob, carol, jane } = stage;
    await approve(await stage.as(bob), asked);
    await approve(await stage.as(carol), asked);
    const approved = await repo.git('rev-parse', LEDGER);
    // Whatever a worker has seen since, the merge descends from it.
    await (await stage.as(jane)).engine.requests.note({
      id: asked.id,
      actor: jane.person,
      text: 'Stop: this would lose data',
    });
    await stage.worker.requests.show({ id: asked.id });
    await forge(repo, {
      files: {},
      author: MALLORY,
      message: 'Merge',
      parents: [approved, await repo.git('rev-parse', LEDGER)],
    });
    expect(await refusal(stage, asked.id)).toBe('LEDGER_TAMPERED');
    expect(await refusal({ repo, worker: await stage.open() }, asked.id)).toBe('LEDGER_TAMPERED');
  });

  it.runIf(isProof)('is found where a second history is merged in', async () => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    await approve(await stage.as(bob), asked);
    const tip = await repo.git('rev-parse', LEDGER);
    const other = await forge(repo, { files: { 'a.txt': 'a' }, author: MALLORY, message: 'A', parents: [] });
    await forge(repo, { files: {}, author: MALLORY, message: 'Merge', parents: [tip, other] });
    expect(await refusal(stage, asked.id)).toBe('LEDGER_TAMPERED');
  });

  it('is found where the ledger was forced back, and nothing goes on until it is whole again', async () => {
    const stage = await pending();
    const { repo, asked, bob, worker } = stage;
    await approve(await stage.as(bob), asked);
    const before = await repo.git('rev-parse', LEDGER);
    await (await stage.as(bob)).engine.requests.note({
      id: asked.id,
      actor: bob.person,
      text: 'I take that back',
    });
    const after = await repo.git('rev-parse', LEDGER);
    await worker.requests.show({ id: asked.id });
    await repo.git('update-ref', LEDGER, before);
    expect(await refusal(stage, asked.id)).toBe('LEDGER_REWOUND');
    await repo.git('update-ref', '-d', LEDGER);
    expect(await refusal(stage, asked.id)).toBe('LEDGER_REWOUND');
    await repo.git('update-ref', LEDGER, after);
    expect((await worker.requests.executeRequest(asked.id)).status).toBe('completed');
  });

  it('is not hidden by a replacement of the commit that says stop', async () => {
    const stage = await pending();
    const { repo, asked, bob, jane } = stage;
    await approve(await stage.as(bob), asked);
    const approved = await repo.git('rev-parse', LEDGER);
    await forgeEvent(
      repo,
      asked.id,
      { id: eventId(), at: TIME, actor: jane.person, type: 'noted', text: 'Wait', kind: 'note' },
      { key: jane.identity },
    );
    await (await stage.as(jane)).engine.requests.show({ id: asked.id });
    const noted = await repo.git('rev-parse', LEDGER);
    await repo.git('replace', noted, approved);
    expect(await repo.git('show', '--no-patch', '--format=%an', LEDGER)).toBe(bob.person.name);
    const { notes } = await (await stage.open()).requests.show({ id: asked.id });
    expect(notes).toMatchObject([{ text: 'Wait' }]);
  });

  it('is nothing that a new root could hide: signatures do not fit a history that was made again', async () => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    await approve(await stage.as(bob), asked);
    await stage.worker.requests.show({ id: asked.id });
    const file = await fileOf(repo, asked.id);
    let parents: string[] = [];
    for (const [index, event] of file.events.entries()) {
      const made = { ...file, events: file.events.slice(0, index + 1) };
      parents = [
        await forge(repo, {
          files: { [requestPath(asked.id)]: print(made) },
          author: event.actor,
          message: messageOf(event, asked.id),
          parents,
        }),
      ];
    }
    expect(await refusal(stage, asked.id)).toBe('LEDGER_REWOUND');
    // Not even by a worker that never saw the ledger before.
    expect(await refusal({ repo, worker: await stage.open() }, asked.id)).toBe('IDENTITY_UNVERIFIED');
  });
});
