/** Commits that changed Backtrail's own folder: its configuration, and in it the policy. And who may do what by it. */
import type { ObjectId, PathChange } from '../../model/index.ts';
import { CONFIG_PATH } from '../../model/config.ts';
import type { Layout } from '../../layout/layout.ts';
import { members } from '../../policy/policy.ts';
import { HOLDS } from '../../holds/hold-file.ts';
import type { Audit } from '../audit.ts';
import { changesBetween } from '../commit/changes.ts';
import { snapshotOn } from '../commit/recompute.ts';
import { readCommit } from '../line/commit-text.ts';
import { configurationAt } from './change.ts';
import { type Budget, differencesOf } from './difference.ts';
import { isoOf } from './period.ts';
import type { Places } from './places.ts';
import type { ConfigurationChange, Holder, Holders } from './types.ts';

const [OWN = ''] = CONFIG_PATH.split('/');

/** Folders that are read at a time. */
const TOGETHER = 500;

/** Newest first. Of rollbacks, which place and lift holds, only those that change more than that. */
export async function configurationChanges(
  audit: Audit,
  { start, end }: Places,
  budget: Budget,
): Promise<ConfigurationChange[]> {
  const { line, reader } = audit;
  const folderOf = async (tree: ObjectId) =>
    (await reader.objects.tree(tree)).find(({ name }) => name === OWN)?.id ?? null;
  const found: ConfigurationChange[] = [];
  for (let from = start; from < end; from += TOGETHER) {
    const last = Math.min(from + TOGETHER, end);
    const folders = await Promise.all(line.trees.slice(from, last + 1).map(folderOf));
    for (let at = from; at < last; at += 1) {
      const isCut = reader.shallow && at === line.ids.length - 1;
      if (isCut || folders[at - from] === (folders[at - from + 1] ?? null)) continue;
      const change = await changeAt(audit, at, budget);
      if (change !== null) found.push(change);
    }
  }
  return found;
}

async function changeAt(audit: Audit, at: number, budget: Budget): Promise<ConfigurationChange | null> {
  const { line, reader, branch } = audit;
  const [id = '', tree = '', before = null] = [line.ids[at], line.trees[at], line.trees[at + 1]];
  const all = (await changesBetween(reader, before, tree)).changes;
  const own = all.filter(({ path }) => path === OWN || path.startsWith(`${OWN}/`));
  const kind = line.marks.get(id)?.kind;
  const isOurs = kind === 'rollback' || kind === 'resume';
  if (own.length === 0 || (isOurs && own.every(isHold))) return null;
  const [old, now] = [
    before === null ? null : await configurationAt(audit, before),
    await configurationAt(audit, tree),
  ];
  const layout = now?.layout ?? old?.layout ?? null;
  const snapshot = layout && snapshotOn(reader, { branch, base: line.ids[at + 1] ?? id, layout });
  const { author, committer, subject } = readCommit(id, await reader.commitBytes(id));
  return {
    commit: id,
    author: { name: author.name, email: author.email },
    time: committer.seconds < 0 ? null : isoOf(committer.seconds * 1000),
    subject,
    policy: policyText(old?.layout) !== policyText(now?.layout),
    ...(await differencesOf(snapshot, own, budget)),
  };
}

const isHold = ({ path }: PathChange) => path.startsWith(`${HOLDS}/`);
const policyText = (layout: Layout | undefined) => layout && JSON.stringify(layout.config.policy);

/** Who held which permission at a commit; null: there was no configuration that could be read. */
export async function holdersAt(audit: Audit, at: number): Promise<Holders | null> {
  const [commit, tree] = [audit.line.ids[at], audit.line.trees[at]];
  if (commit === undefined || tree === undefined) return null;
  const found = await configurationAt(audit, tree);
  return found && { commit, holders: holdersBy(found.layout) };
}

function holdersBy({ config: { policy } }: Layout): Holder[] {
  const holders: Holder[] = policy.permissions.flatMap((grant) =>
    members(policy, grant).flatMap((who) =>
      grant.allow.flatMap((permission) => grant.in.map((pattern) => ({ who, permission, in: pattern }))),
    ),
  );
  if (policy.permissions.length === 0) holders.push({ who: '*', permission: 'admin', in: '**' });
  for (const { match, quorum, approvers } of policy.environments) {
    if (quorum === 0) continue;
    const all = policy.permissions.length === 0 ? ['*'] : [];
    // Where it names nobody, whoever may deploy there may approve.
    const voters = approvers === null ? all : members(policy, approvers);
    holders.push(...voters.map((who) => ({ who, permission: 'approve' as const, in: match })));
  }
  return [...new Map(holders.map((holder) => [keyOf(holder), holder])).values()];
}

const keyOf = ({ who, permission, in: pattern }: Holder) => JSON.stringify([who, permission, pattern]);

/** Those of the first that are not among the second. */
export function without(some: Holders | null, others: Holders | null): Holder[] {
  const known = new Set(others?.holders.map(keyOf));
  return (some?.holders ?? []).filter((holder) => !known.has(keyOf(holder)));
}
