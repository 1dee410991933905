import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Engine, isFailure } from '../../../../engine/internal.ts';
import { engineOf } from '../../../helpers/repositories/engine.ts';
import { ask, configOf, createTeam, engineFor, policedRepo } from '../../../helpers/people/requests.ts';
import { runs } from '../../../helpers/run/proof.ts';
import { ACTION_OF, type Action, ACTIONS, after, BEGINNING, type Model, NEED, refusal } from '../model.ts';

const ACTORS = ['jane', 'bob', 'carol'] as const;
type Actor = (typeof ACTORS)[number];
const team = createTeam();

async function begin() {
  const { signers, ...people } = await team;
  const repo = await policedRepo(configOf({ environments: [{ match: 'prod', quorum: NEED }] }));
  const options = { allowedSigners: signers };
  const [jane, bob, carol] = await Promise.all(ACTORS.map((name) => engineFor(repo, people[name], options)));
  const worker = await engineOf(repo, options);
  if (!jane || !bob || !carol) throw new Error('three were opened');
  const engines: Record<Actor, Engine> = { jane, bob, carol };
  const { id } = await ask(jane, people.jane);
  const answer = async (action: Action, actor: Actor): Promise<string | null> => {
    const { requests } = action === 'executeRequest' ? worker : engines[actor];
    const act = { id, actor: people[actor] };
    try {
      if (action === 'note') await requests.note({ ...act, text: 'x' });
      else if (action === 'executeRequest') await requests.executeRequest(id);
      else await requests[action](act);
      return null;
    } catch (error) {
      if (isFailure(error)) return error.code;
      throw error;
    }
  };
  return { repo, worker, id, reader: people.jane, answer };
}

class Command implements fc.AsyncCommand<{ model: Model }, Awaited<ReturnType<typeof begin>>> {
  readonly action: Action;
  readonly actor: Actor;
  constructor(action: Action, actor: Actor) {
    this.action = action;
    this.actor = actor;
  }
  check() {
    return true;
  }
  async run(held: { model: Model }, { answer, worker, id, reader }: Awaited<ReturnType<typeof begin>>) {
    const expected = refusal(held.model, this.action, this.actor, 'jane');
    assert.equal(await answer(this.action, this.actor), expected, this.toString());
    if (expected === null) held.model = after(held.model, this.action, this.actor);
    assert.equal((await worker.requests.show({ id, reader })).status, held.model.status, this.toString());
  }
  toString() {
    return `${this.actor} ${this.action}`;
  }
}

it('answers one after the other as the model does, whatever people do with it', async () => {
  const command = fc
    .tuple(fc.constantFrom(...ACTIONS), fc.constantFrom(...ACTORS))
    .map(([action, actor]) => new Command(action, actor));
  const property = fc.asyncProperty(fc.commands([command], { maxCommands: 12 }), (commands) =>
    fc.asyncModelRun(async () => ({ model: { model: BEGINNING }, real: await begin() }), commands),
  );
  await expect(fc.assert(property, { numRuns: runs(8, 1), endOnFailure: true })).resolves.toBeUndefined();
});

/** Every action at the same time: the events that came of it have an order, and each answer is right somewhere in it. */
it('answers people who act at the same time as if one had come after the other', async () => {
  const actions = fc.array(fc.tuple(fc.constantFrom(...ACTIONS), fc.constantFrom(...ACTORS)), {
    minLength: 4,
    maxLength: 10,
  });
  await fc.assert(
    fc.asyncProperty(actions, async (chosen) => {
      const { repo, worker, reader, answer } = await begin();
      const answers = await Promise.all(
        chosen.map(async ([action, actor]) => ({ action, actor, code: await answer(action, actor) })),
      );
      const events = (await worker.requests.audit({ limit: 100, reader })).toReversed().slice(1);
      const done = events.map(({ event, actor }) => ({
        action: ACTION_OF[event],
        name: actor.email.split('@')[0],
      }));
      const states = done.reduce<Model[]>(
        (all, { action, name }) => [...all, after(all.at(-1) ?? BEGINNING, action ?? 'note', name ?? '')],
        [BEGINNING],
      );
      expect(events.map(({ status }) => status)).toEqual(states.slice(1).map(({ status }) => status));
      // Nothing acknowledged is lost, and nothing is done twice: executing again is an answer, not an event.
      const acknowledged = answers.filter(({ code, action }) => code === null && action !== 'executeRequest');
      expect(
        done
          .filter(({ action }) => action !== 'executeRequest')
          .map(({ action, name }) => `${name} ${action}`)
          .sort(),
      ).toEqual(acknowledged.map(({ action, actor }) => `${actor} ${action}`).sort());
      for (const { action, actor, code } of answers) {
        const right = states.map((state) => refusal(state, action, actor, 'jane'));
        // Withdrawn while it was published: the branch was faster.
        const wasApproved = states.some(({ status }) => status === 'approved');
        if (action === 'cancel' && wasApproved && states.at(-1)?.status === 'completed')
          right.push('REQUEST_CLOSED');
        expect(right).toContain(code);
      }
      expect(await repo.git('log', '--format=%p', '--min-parents=2', 'refs/backtrail/ledger')).toBe('');
    }),
    { numRuns: runs(8, 1), endOnFailure: true },
  );
});
