/** Plans a resume: which holds end, and what their adapters give back. The same kind of plan as a rollback's, with no revision to return to. */
import { type ObjectId, type Plan, type Scope } from '../model/index.ts';
import { isHoldPath } from '../holds/hold-file.ts';
import { liftHolds } from '../holds/lift.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { describeChanges } from './changes.ts';
import { digestOf } from './digest.ts';
import { ownersOf } from './owners.ts';

/** What the digest of a resume has in the place of a target. */
const RESUME = 'resume';

/**
 * `planned`: the commit of the line that stands where a rollback has its target: the one that it was first planned on.
 *
 * @throws HOLD_UNKNOWN
 */
export async function planResume(snapshot: Snapshot, scope: Scope, planned: ObjectId): Promise<Plan> {
  const lifted = await liftHolds(snapshot, scope);
  const files = [...lifted.files];
  const content = files.filter(({ path }) => !isHoldPath(path));
  const target = { commit: planned, version: null };
  const input = { scope, target, current: target, allowRemoval: false, findings: [] };
  const none = { files: new Map(), parts: new Map(), shared: new Map(), trees: new Map() };
  const query = { snapshot, scope, selections: [] };
  const context = { query, input, base: none, target: none, files: content, kept: [] };
  const { changes, impact } = await describeChanges(context);
  const deleted = files.filter(({ after }) => after === null);
  const written = files.filter(({ after }) => after !== null);
  const owners = await ownersOf(snapshot, scope, content);
  return {
    engine: snapshot.layout.rules,
    scope,
    branch: snapshot.branch,
    base: snapshot.base,
    target,
    current: target,
    digest: digestOf({ hasher: snapshot.hasher, scope, target: RESUME, items: lifted.items }),
    files,
    writes: [...deleted, ...written].map(({ path, after }) => ({ path, after })),
    changes,
    kept: [],
    wholeFiles: [],
    impact,
    owners,
    overrides: [],
    findings: lifted.findings,
    holds: { placed: null, replaced: lifted.holds, readsScope: false },
    resumes: lifted.holds,
  };
}
