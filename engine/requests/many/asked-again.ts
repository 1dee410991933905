/** Rollbacks that are asked for again under their ids: whether what there is under these is them. */
import type { RequestId } from '../../model/index.ts';
import type { Ask } from '../../rollback/planning/planned.ts';
import { arrivedOf } from '../arrivals/arrived-of.ts';
import { repeated, type Snapshots } from '../repeated.ts';
import type { RequestView } from '../types.ts';
import type { RequestContext } from '../context.ts';
import type { Look } from './look-once.ts';
import { isPublished } from './member.ts';
import { inspectAll, onLine } from './report.ts';

interface Repetition {
  readonly id: RequestId;
  readonly ask: Ask;
  /** As the ledger has it. */
  readonly request: RequestView | null;
}

/**
 * Whether what there is under an id is the rollback that is asked for, of which it asks on one look for all: ids of an incident can be guessed, and
 * whoever's commits come to the branch can name one. Another person may have asked for it.
 *
 * @throws REQUEST_EXISTS, LEDGER_TAMPERED
 */
export async function againOnce(
  { context, published }: Look,
  ids: readonly RequestId[],
): Promise<(repetition: Repetition) => Promise<void>> {
  const { git } = context;
  const snapshot = await context.observe();
  const line = await snapshot.history.firstParents(snapshot.base);
  const places = new Map(line.map((commit, index) => [commit, index]));
  const commits = [...new Set(ids.flatMap((id) => published.get(id) ?? []))];
  const written = new Map((await inspectAll(git, commits)).map((commit) => [commit.id, commit]));
  const messages = await git.messages(commits);
  const observed = { ...snapshot, history: onLine(snapshot.history, line, places) };
  let recorded: ReturnType<typeof git.history.recorded> | undefined;
  const looking: RequestContext = {
    ...context,
    observe: () => Promise.resolve(observed),
    git: {
      ...git,
      inspect: async (wanted) => {
        const known = wanted.flatMap((id) => written.get(id) ?? []);
        return known.length === wanted.length ? known : git.inspect(wanted);
      },
      messages: (wanted) =>
        wanted.every((id) => messages.has(id)) ? Promise.resolve(messages) : git.messages(wanted),
      history: { ...git.history, recorded: (tip) => (recorded ??= git.history.recorded(tip)) },
    },
  };
  const snapshots: Snapshots = new Map();
  return async ({ id, ask, request }) => {
    await repeated(looking, { id, ask, author: null }, snapshots);
    if (request !== null && published.has(id))
      await isPublished(looking, request, await arrivedOf(looking, request));
  };
}
