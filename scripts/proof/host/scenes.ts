/** What can become of a pull request, played on a real host. Each scene has services of its own, and says what is wrong by throwing. */
import { makeRequestId, type RequestId } from '../../../engine/internal.ts';
import type { MergeMethod, PullRequest } from '../../../engine/model/index.ts';
import { askFor, lookOf, proposeFor, stateOf } from '../../../test/helpers/people/proposing.ts';
import type { Place } from './place.ts';

export interface Scene {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly play: (place: Place) => Promise<void>;
}

/** It cannot be played here: why, as a sentence. */
export class Skipped extends Error {}

const MINUTE = 60_000;
/** A host works some things out a while after it was told. */
const PATIENCE_MS = 90_000;
const FIRST_MS = 100;
const MOST_MS = 3000;

const merging = (method: MergeMethod): Scene => ({
  name: method,
  scopes: [`prod/${method}`],
  async play(place) {
    requireMethod(place, method);
    const { id, number } = await proposeFor(place, `prod/${method}`);
    await merge(place, number, method);
    await until(place, id, 'completed');
    const { result } = await stateOf(place, id);
    const how = result?.status === 'completed' ? result.arrived?.how : undefined;
    // What is the newest commit already is not always written anew.
    must(
      how === method || (method === 'rebase' && how === 'merge'),
      `It is recorded as ${how ?? 'nothing'}.`,
    );
    const { revisions } = await place.worker.history({ scope: `prod/${method}`, limit: 1 });
    must(revisions[0]?.source === 'rollback', 'The history does not know the rollback.');
    must((await place.at(`backtrail/${id}`)) === null, 'Its branch is left behind.');
  },
});

export const SCENES: readonly Scene[] = [
  {
    name: 'opened',
    scopes: ['prod/opened'],
    async play(place) {
      const before = await place.at(place.branch);
      const { id, number } = await proposeFor(place, 'prod/opened');
      const pull = await place.host.read(number);
      const { state, branch, into, head, isDraft } = pull;
      must(state === 'open' && !isDraft, 'It is not open.');
      must(branch === `backtrail/${id}` && into === place.branch, `It brings ${branch} into ${into}.`);
      must(head === (await place.at(branch)), 'Its head is not where its branch is.');
      must((await place.at(place.branch)) === before, 'The branch itself has moved.');
      must((await stateOf(place, id)).link?.number === number, 'The ledger does not name it.');
    },
  },
  merging('merge'),
  merging('rebase'),
  merging('squash'),
  {
    name: 'auto',
    scopes: ['auto/api'],
    async play(place) {
      if (place.settings.hasQueue) throw new Skipped('A queue merges there.');
      const { id } = await proposeFor(place, 'auto/api');
      await until(place, id, 'completed');
    },
  },
  {
    name: 'closed',
    scopes: ['prod/closed'],
    async play(place) {
      const { id, number } = await proposeFor(place, 'prod/closed');
      await place.host.closePullRequest(number);
      place.later(2 * MINUTE);
      await until(place, id, 'failed', 'PULL_REQUEST_CLOSED');
      await place.worker.requests.retry({ id, actor: place.team.jane });
      await place.worker.rollbacks.execute(id);
      must((await openOnes(place, id)).length === 1, 'A retry does not open it again.');
    },
  },
  {
    name: 'cancelled',
    scopes: ['prod/cancelled'],
    async play(place) {
      const { id, number } = await proposeFor(place, 'prod/cancelled');
      await place.worker.requests.cancel({ id, actor: place.team.jane });
      must((await place.host.read(number)).state === 'closed', 'It is still open.');
      must((await place.at(`backtrail/${id}`)) === null, 'Its branch is left behind.');
    },
  },
  {
    name: 'pushed',
    scopes: ['prod/pushed'],
    async play(place) {
      const { id, number } = await proposeFor(place, 'prod/pushed');
      const theirs = await place.commit(`backtrail/${id}`, { 'mine.txt': 'mine\n' }, 'By hand');
      await until(place, id, 'failed', 'PULL_REQUEST_CHANGED');
      must((await place.at(`backtrail/${id}`)) === theirs, 'What a person has pushed is gone.');
      must((await place.host.read(number)).state === 'open', 'It was closed.');
    },
  },
  {
    name: 'outside',
    scopes: ['prod/outside'],
    async play(place) {
      const { id, number } = await proposeFor(place, 'prod/outside');
      const tip = await place.at(`backtrail/${id}`);
      await place.commit(place.branch, { 'README.md': 'two\n' }, 'Elsewhere');
      await lookOf(place);
      must((await place.at(`backtrail/${id}`)) === tip, 'It was made anew, and nothing asked for that.');
      const [method] = place.settings.methods;
      if (method === undefined) throw new Skipped('The host allows no method.');
      await merge(place, number, method);
      await until(place, id, 'completed');
    },
  },
  {
    name: 'inside',
    scopes: ['reviewed/inside'],
    async play(place) {
      const id = await askFor(place, 'reviewed/inside');
      await place.worker.requests.approve({ id, actor: place.bob });
      const { pullRequest } = await place.worker.rollbacks.execute(id);
      const number = pullRequest?.number ?? 0;
      await place.commit(
        place.branch,
        { 'apps/reviewed/inside/app.yaml': 'image: v3\nreplicas: 1\n' },
        'Deploy v3',
      );
      await until(place, id, 'pending');
      const { state, isDraft } = await place.host.read(number);
      must(state === 'closed' || isDraft, 'It could be merged before it is approved anew.');
      await place.worker.requests.approve({ id, actor: place.bob });
      const { commit } = await place.worker.rollbacks.execute(id);
      const [pull, ...more] = await openOnes(place, id);
      must(pull !== undefined && more.length === 0, 'There is not one open pull request for it.');
      must(!pull.isDraft, 'It is still a draft.');
      must(pull.head === commit, 'It does not bring what was approved.');
    },
  },
  {
    name: 'twice',
    scopes: ['prod/twice'],
    async play(place) {
      const id = await askFor(place, 'prod/twice');
      const other = await place.another();
      await Promise.all([place.worker.rollbacks.execute(id), other.rollbacks.execute(id)]);
      await lookOf(place);
      must((await openOnes(place, id)).length === 1, 'There is not one pull request for it.');
    },
  },
  {
    name: 'together',
    scopes: ['together/one', 'together/two'],
    async play(place) {
      requireMethod(place, 'merge');
      requireMethod(place, 'squash');
      const ids = await askTogether(place, ['together/one', 'together/two']);
      await place.worker.rollbacks.executeMany(ids.map((id) => ({ id })));
      const links = await Promise.all(ids.map(async (id) => (await stateOf(place, id)).link?.number));
      must(links[0] !== undefined && links[0] === links[1], 'They do not share a pull request.');
      await merge(place, links[0], 'squash');
      for (const id of ids) await until(place, id, 'completed');
    },
  },
];

async function askTogether(
  { worker, team }: Place,
  scopes: readonly string[],
): Promise<readonly RequestId[]> {
  const author = team.jane;
  const asks = [];
  for (const scope of scopes) {
    const { target, digest, base } = await worker.rollbacks.plan({ scope, author });
    const id = makeRequestId(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
    const asked = { scope, target, digest, base, author, reason: 'v2 answers 500', id };
    asks.push({ ...asked, incident: 'proof', ledger: true });
  }
  await worker.rollbacks.requestMany(asks);
  return asks.map(({ id }) => id);
}

function must(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

function requireMethod({ settings }: Place, method: MergeMethod): void {
  if (!settings.methods.includes(method)) throw new Skipped(`The host does not allow ${method}.`);
}

/** By somebody who keeps nothing of our message. */
async function merge({ host }: Place, number: number, method: MergeMethod): Promise<void> {
  const ready = async () => {
    const { mergeability, hostState, head } = await host.read(number);
    return mergeability === 'yes' ? { head } : `The host says ${hostState} of it.`;
  };
  const { head } = await soon(ready);
  const title = `Merged on the host (${number})`;
  const outcome = await host.merge(number, { head, method, title, message: 'By hand' });
  must(outcome === 'merged', `The host has not merged it: ${outcome}.`);
}

/** Looks until the ledger says so. */
async function until(place: Place, id: RequestId, status: string, code?: string): Promise<void> {
  await soon(async () => {
    await lookOf(place);
    const { status: now, result } = await stateOf(place, id);
    const failed = result?.status === 'failed' ? result.code : undefined;
    const isSo = now === status && (code === undefined || failed === code);
    return isSo
      ? true
      : `It is ${now}${failed === undefined ? '' : ` (${failed})`}, and not ${code ?? status}.`;
  });
}

/** `attempt` gives what is wrong as a sentence. */
async function soon<Value>(attempt: () => Promise<Value | string>): Promise<Value> {
  const ends = Date.now() + PATIENCE_MS;
  for (let wait = FIRST_MS; ; wait = Math.min(2 * wait, MOST_MS)) {
    const value = await attempt();
    if (typeof value !== 'string') return value;
    if (Date.now() > ends) throw new Error(value);
    await new Promise((done) => setTimeout(done, wait));
  }
}

const openOnes = async ({ host }: Place, id: RequestId): Promise<readonly PullRequest[]> =>
  (await host.listOpen()).filter(({ branch }) => branch === `backtrail/${id}`);
