/** Writes events of deployments: all of one call in one signed commit, decided again where another writer was faster. */
import {
  type Actor,
  BacktrailError,
  type Deployment,
  type DeploymentEvent,
  isFailure,
  MODE,
  type NewEvents,
  type PreparedEvents,
} from '../model/index.ts';
import { identity } from '../git/store/identity.ts';
import {
  deploymentPath,
  deploymentsMessage,
  printDeploymentEvent,
  readDeploymentEvent,
} from '../record/deployment-file.ts';
import { foldDeployment } from '../record/deployment-transitions.ts';
import { signedOff } from '../record/style.ts';
import { isFuture } from '../requests/ledger/times.ts';
import { type RequestContext, requireOwnConfig, stamp, timeOf } from '../requests/context.ts';
import { type DeploymentCache, type DeploymentStore, deploymentsAt } from './store.ts';

export interface AppendContext {
  readonly context: RequestContext;
  readonly cache: DeploymentCache;
  readonly ref: string;
  /** Commits are signed off, as all others are. */
  readonly signoff: boolean;
}

/** What is to be written on this state of the records, by one actor at one time; nothing where there is nothing to write. */
export type DecideDeployments = (
  store: DeploymentStore,
  stamped: (actor: Actor) => Stamp,
) => Promise<readonly DeploymentEvent[]>;

type Stamp = ReturnType<typeof stamp>;

const ATTEMPTS = 60;
const LONGEST_MS = 1500;

/** Gives the records after it. @throws BRANCH_MOVED after a minute of others being faster, and what the ref cannot be moved with */
export async function appendDeployments(
  place: AppendContext,
  decide: DecideDeployments,
): Promise<DeploymentStore> {
  const { context, cache, ref } = place;
  const { git, clock, random } = context;
  requireOwnConfig(context);
  const once = async () => {
    const store = await openDeployments(place);
    const input = await decided(place, store, decide);
    if (input === null) return store;
    const commits = await git.ledger.append(input);
    return deploymentsAt({ git, ref, cache }, commits.at(-1) ?? null);
  };
  for (let attempt = 1; ; attempt += 1)
    try {
      return await git.ledger.inTurn(ref, once);
    } catch (error) {
      if (!isFailure(error) || error.code !== 'BRANCH_MOVED' || attempt === ATTEMPTS) throw error;
      const [byte = 0] = random(1);
      await clock.sleep(Math.ceil((Math.min(10 * 2 ** attempt, LONGEST_MS) * (byte + 1)) / 256));
    }
}

/** The same, written and signed, and moved by whoever publishes it together with a branch; null where there is nothing to write. */
export async function prepareDeployments(
  place: AppendContext,
  decide: DecideDeployments,
): Promise<PreparedEvents | null> {
  requireOwnConfig(place.context);
  const input = await decided(place, await openDeployments(place), decide);
  return input && place.context.git.ledger.prepare(input);
}

/** Looks at the ref anew. @throws LEDGER_REWOUND where it was forced back */
export async function openDeployments({
  context: { git },
  ref,
  cache,
}: AppendContext): Promise<DeploymentStore> {
  return deploymentsAt({ git, ref, cache }, await git.ledger.tip(ref));
}

async function decided(
  { context, ref, signoff }: AppendContext,
  store: DeploymentStore,
  decide: DecideDeployments,
): Promise<NewEvents | null> {
  const { committer } = context;
  const events = await decide(store, (actor) => notBefore(context, store, stamp(context, actor)));
  const [first] = events;
  if (first === undefined) return null;
  const message = deploymentsMessage(events, await statesAfter(store, events));
  const { actor: author, at: time } = first;
  const people = signoff ? [author, committer].map(identity) : [];
  const writes = events.map((event) => {
    const path = deploymentPath(event);
    const content = new TextEncoder().encode(readable(printDeploymentEvent(event), path));
    return { path, after: { mode: MODE.file, id: '', content } };
  });
  const commit = { author, time, message: signedOff(message, people), writes, sign: true };
  return { ref, parent: store.tip, events: [commit], committer };
}

/** Times only grow, however slow this clock is. */
function notBefore(context: RequestContext, { latest }: DeploymentStore, stamped: Stamp): Stamp {
  if (isFuture(context, latest) || Date.parse(stamped.at) >= latest) return stamped;
  return { ...stamped, at: timeOf(latest) };
}

async function statesAfter(
  store: DeploymentStore,
  events: readonly DeploymentEvent[],
): Promise<ReadonlyMap<string, Deployment>> {
  const ids = [...new Set(events.map(({ deployment }) => deployment))];
  const before = new Map((await store.read(ids)).map(({ id, events: past }) => [id, past]));
  const states = new Map<string, Deployment>();
  for (const id of ids) {
    const own = events.filter(({ deployment }) => deployment === id);
    const state = foldDeployment([...(before.get(id) ?? []).map(({ event }) => event), ...own]);
    if (state !== null) states.set(id, state);
  }
  return states;
}

/** What could not be read again would be lost: it is refused before it is written. */
function readable(text: string, path: string): string {
  try {
    readDeploymentEvent(text, path);
    return text;
  } catch (cause) {
    throw new BacktrailError('INVALID_REQUEST', 'This is more than a record of a deployment holds.', {
      hint: 'Shorten the notes, or name fewer images.',
      cause,
    });
  }
}
