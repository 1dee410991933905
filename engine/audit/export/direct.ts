/** Commits that change an environment whose policy asks for votes, and that are neither a rollback nor its manifests. */
import { emailKey, type EnvironmentName, formatCoordinates, type ObjectId } from '../../model/index.ts';
import { environmentsOf } from '../../plan/owners.ts';
import { policyFor } from '../../policy/policy.ts';
import type { Audit } from '../audit.ts';
import { changesBetween } from '../commit/changes.ts';
import { snapshotOn } from '../commit/recompute.ts';
import { failureOf } from '../failures.ts';
import { readCommit } from '../line/commit-text.ts';
import { configurationAt } from './change.ts';
import type { Places } from './places.ts';
import type { AuditExport, DirectCommits } from './types.ts';

interface Looking {
  /** Commits of ours, or that pull requests of ours brought. */
  readonly isOurs: (id: ObjectId) => boolean;
  readonly isAsked: (environment: EnvironmentName) => boolean;
}

/** Commits that are looked at side by side. */
const TOGETHER = 64;

/** Most commits first. */
export async function directCommits(
  audit: Audit,
  { start, end }: Places,
  { isOurs, isAsked }: Looking,
): Promise<AuditExport['direct']> {
  const { line, reader } = audit;
  const by = new Map<string, DirectCommits>();
  let [commits, unreadable] = [0, 0];
  for (let from = start; from < end; from += TOGETHER) {
    const some = Array.from({ length: Math.min(TOGETHER, end - from) }, (_, index) => from + index);
    const all = await Promise.all(
      some.map(async (at) => (isOurs(line.ids[at] ?? '') ? [] : votedIn(audit, at))),
    );
    for (const [index, environments] of all.entries()) {
      const id = line.ids[from + index] ?? '';
      if (environments === null) unreadable += 1;
      const asked = environments?.filter(isAsked) ?? [];
      if (asked.length === 0) continue;
      commits += 1;
      const author = emailKey(readCommit(id, await reader.commitBytes(id)).author.email);
      for (const environment of asked.map(formatCoordinates)) {
        const key = JSON.stringify([environment, author]);
        // From the newest to the oldest.
        const known = by.get(key) ?? { environment, author, commits: 0, oldest: id, newest: id };
        by.set(key, { ...known, commits: known.commits + 1, oldest: id });
      }
    }
  }
  return { commits, unreadable, by: [...by.values()].sort((one, other) => other.commits - one.commits) };
}

/** The environments that it changes, and whose policy asked for votes before it; null: what it changes cannot be read. */
async function votedIn(audit: Audit, at: number): Promise<EnvironmentName[] | null> {
  const { line, reader, branch } = audit;
  const [tree, base, before] = [line.trees[at], line.ids[at + 1], line.trees[at + 1]];
  if (tree === undefined || base === undefined || before === undefined || tree === before) return [];
  const found = await configurationAt(audit, before);
  if (found === null) return [];
  const { layout } = found;
  const { policy } = layout.config;
  if (policy.environments.every(({ quorum }) => quorum === 0)) return [];
  try {
    const { changes } = await changesBetween(reader, before, tree);
    const changed = await environmentsOf(snapshotOn(reader, { branch, base, layout }), changes);
    return changed.filter((environment) => (policyFor(policy, environment)?.quorum ?? 0) > 0);
  } catch (error) {
    failureOf(error);
    return null;
  }
}
