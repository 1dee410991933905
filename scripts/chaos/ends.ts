/** What may have become of each request, and what may not. Pure. */
import type { Asked } from './plan.ts';
import type { Known } from './watch.ts';

/** A rollback commit of the branch. */
export interface Landed {
  readonly commit: string;
  readonly requestId: string;
  readonly target: string;
  /** What it changed. */
  readonly paths: readonly string[];
  /** The scope holds there what it held at the target. */
  readonly restores: boolean;
}

export interface Ends {
  /** How many ended as what. */
  readonly ends: Readonly<Record<string, number>>;
  /** A sentence each. */
  readonly problems: readonly string[];
}

export function judgeEnds(
  asked: readonly Asked[],
  known: ReadonlyMap<string, Known>,
  landed: readonly Landed[],
): Ends {
  const ends: Record<string, number> = {};
  const commits = new Map<string, Landed[]>();
  for (const each of landed) commits.set(each.requestId, [...(commits.get(each.requestId) ?? []), each]);
  const expected = new Map(asked.map((each) => [each.id, each]));
  const problems = landed.flatMap((each) => landedProblems(each, expected.get(each.requestId)));
  for (const [id, all] of commits)
    if (all.length > 1) problems.push(`${id} is on the branch ${all.length} times`);
  for (const each of asked) {
    const state = known.get(each.id);
    const [commit] = commits.get(each.id) ?? [];
    const end =
      state === undefined ? 'lost' : state.code === null ? state.status : `${state.status} ${state.code}`;
    ends[end] = (ends[end] ?? 0) + 1;
    const problem =
      state === undefined ? 'is not in the ledger' : endProblem(each, state, commit?.commit ?? null);
    if (problem !== null) problems.push(`${each.id} (${each.scope}, ${each.wish}) ${problem}`);
  }
  for (const id of known.keys()) if (!expected.has(id)) problems.push(`nobody asked for ${id}`);
  return { ends, problems };
}

/** Null where it is as it has to be. */
function endProblem(
  { wish, refused }: Asked,
  { status, code, commit, outcome }: Known,
  landed: string | null,
) {
  const due = refused
    ? 'failed'
    : wish === 'reject'
      ? 'rejected'
      : wish === 'cancel'
        ? 'cancelled'
        : 'completed';
  if (status !== due) return `is ${status}${code === null ? '' : ` (${code})`}, not ${due}`;
  if (due === 'failed' && code !== 'REMOTE_REJECTED')
    return `failed with ${code}, not by the server’s refusal`;
  if (due !== 'completed') return landed === null ? null : `is ${status}, and ${landed} is on the branch`;
  if (outcome !== 'completed') return `had nothing to do (${outcome})`;
  if (landed === null) return `is completed, and not on the branch`;
  return commit === landed ? null : `is completed in ${commit}, and the branch has it in ${landed}`;
}

function landedProblems({ commit, requestId, paths, restores }: Landed, asked: Asked | undefined): string[] {
  if (asked === undefined) return [`${commit} is for ${requestId}, which nobody asked for`];
  const outside = paths.filter((path) => !path.startsWith(`${asked.folder}/`));
  return [
    ...(outside.length > 0 ? [`${commit} changes ${outside.join(', ')}, outside of ${asked.scope}`] : []),
    ...(paths.length === 0 ? [`${commit} changes nothing`] : []),
    ...(restores ? [] : [`${commit} does not restore ${asked.scope}`]),
  ];
}
