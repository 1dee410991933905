/** What a rollback has to write, made again from its base, its target and the configuration then in force. */
import {
  type Finding,
  type HistoryReader,
  type ObjectId,
  type Plan,
  type RollbackRequest,
} from '../../model/index.ts';
import { describeChanges } from '../../plan/changes.ts';
import { checkTargetAbsent } from '../../plan/checks/target-absent.ts';
import { restoreScope } from '../../plan/plan.ts';
import { planResume } from '../../plan/resume.ts';
import type { Layout } from '../../layout/layout.ts';
import { makeSnapshot, type Snapshot } from '../../snapshot/snapshot.ts';
import type { AuditReader } from '../line/reader.ts';

/** As much of a plan as its commit shows. */
export interface Recomputed extends MadePlan {
  /** Names of the services whose manifests may change. */
  services(): Promise<readonly string[]>;
}

type MadePlan = Pick<
  Plan,
  | 'base'
  | 'digest'
  | 'engine'
  | 'files'
  | 'wholeFiles'
  | 'findings'
  | 'overrides'
  | 'holds'
  | 'owners'
  | 'resumes'
>;

export type Recomputing = Pick<RollbackRequest, 'scope' | 'target' | 'allowRemoval' | 'hold' | 'resume'>;

/** What planning asks of a history is for people: what moved, and when. */
const NO_HISTORY: HistoryReader = {
  shallow: false,
  log: () => Promise.resolve([]),
  changed: () => Promise.resolve([]),
  recorded: () => Promise.resolve([]),
  firstParents: () => Promise.resolve([]),
  isOnLine: () => Promise.resolve(true),
  firstParentBefore: () => Promise.resolve(null),
  findCommit: () => Promise.resolve(null),
  named: () => Promise.resolve({ tag: null, branch: null }),
  renames: () => Promise.resolve(new Map()),
};

/** A snapshot of a commit of the line, for planning on it. */
export function snapshotOn(
  { objects, hasher }: Pick<AuditReader, 'objects' | 'hasher'>,
  { branch, base, layout }: { readonly branch: string; readonly base: ObjectId; readonly layout: Layout },
): Snapshot {
  return makeSnapshot({ branch, base, layout, reader: objects, history: NO_HISTORY, hasher });
}

/** @throws HOLD_UNKNOWN for a resume of what was not held */
export async function recompute(snapshot: Snapshot, asked: Recomputing): Promise<Recomputed> {
  const { scope, target, allowRemoval, hold = null, resume } = asked;
  if (resume) {
    const plan = await planResume(snapshot, scope, target);
    return { ...plan, services: () => Promise.resolve(plan.impact.services) };
  }
  const commit = { commit: target, version: null };
  const input = {
    scope,
    target: commit,
    current: { commit: snapshot.base, version: null },
    allowRemoval,
    hold,
    findings: [],
  };
  const made = await restoreScope(snapshot, input);
  const { held, whole, parts, restored, wholeFiles, context } = made;
  const findings: Finding[] = [
    ...(await checkTargetAbsent(context, wholeFiles)),
    ...restored.findings,
    ...whole.findings,
    ...parts.findings,
    ...held.findings,
  ];
  return {
    base: snapshot.base,
    digest: made.digest,
    engine: snapshot.layout.rules,
    files: held.files,
    wholeFiles: wholeFiles.map(({ path }) => path),
    findings,
    overrides: [],
    owners: made.owners,
    ...(held.holds && { holds: held.holds }),
    services: async () => (await describeChanges(context)).impact.services,
  };
}
