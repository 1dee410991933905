/**
 * Plans a rollback: what restoring a scope to an earlier revision changes. Reads through the snapshot only; no clock, no randomness.
 * Blocking problems are findings of the plan, not errors.
 */
import { fieldSelection } from '../layout/fields/field.ts';
import { type Layout, type Selection, selectionsOf } from '../layout/layout.ts';
import {
  type EnvironmentName,
  type Finding,
  formatCoordinates,
  type KeptPath,
  type Plan,
  quotePath,
  type Scope,
} from '../model/index.ts';
import { isHoldPath } from '../holds/hold-file.ts';
import { type PlacedHolds, placeHolds } from '../holds/place.ts';
import { policyFor } from '../policy/policy.ts';
import { readContent, type ScopeQuery } from '../snapshot/scope-content.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { describeChanges } from './changes.ts';
import { checkCollisions } from './checks/collisions.ts';
import { checkNames } from './checks/unsafe-names.ts';
import { sharedFinding } from './checks/shared-changed.ts';
import { checkTargetAbsent } from './checks/target-absent.ts';
import { checkWholeFiles } from './checks/whole-files.ts';
import type { CheckContext, PlanInput, Restored } from './check-context.ts';
import { digestOf } from './digest.ts';
import { type OtherParts, otherParts } from './other-parts.ts';
import { ownersOf } from './owners.ts';
import { restoreFiles } from './restore-files.ts';
import { restoreParts } from './restore-parts.ts';
import { asWholeFiles } from './whole-files.ts';
import { orderWrites } from './tree-writes.ts';

/** What a rollback writes, before anything is said about it. */
export interface Restoration {
  readonly context: CheckContext;
  /** Files that are restored as a whole instead of their parts, and what is said of that. */
  readonly restored: ReturnType<typeof asWholeFiles>;
  readonly wholeFiles: readonly OtherParts[];
  readonly whole: Restored;
  readonly parts: Restored;
  readonly held: PlacedHolds;
  readonly owners: readonly EnvironmentName[];
  readonly digest: string;
}

/** The first half of a plan: enough to make a rollback again, without its description. */
export async function restoreScope(snapshot: Snapshot, input: PlanInput): Promise<Restoration> {
  const { scope, target: revision } = input;
  const query: ScopeQuery = { snapshot, scope, selections: selectionsFor(snapshot.layout, scope) };
  const [base, target] = await Promise.all([
    readContent(query, snapshot.base),
    readContent(query, revision.commit),
  ]);
  const restored = scope.wholeFile ? asWholeFiles(base, target) : { base, target, paths: [], findings: [] };
  const whole = await restoreFiles(query, restored.base, restored.target);
  const parts = await restoreParts(query, restored.base, restored.target);
  const restoredFiles = [...whole.files, ...parts.files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const ownersBefore = await ownersOf(snapshot, scope, restoredFiles);
  const held = await placeHolds({
    snapshot,
    scope,
    target: revision.commit,
    files: restoredFiles,
    isWhole: (path) => whole.files.some((file) => file.path === path),
    owners: ownersBefore,
    hold: input.hold ?? null,
  });
  const files = held.files.filter(({ path }) => !isHoldPath(path));
  const kept = [...whole.kept, ...parts.kept];
  const wholeFiles: OtherParts[] = [];
  for (const file of files)
    if (restored.paths.includes(file.path)) wholeFiles.push(await otherParts(snapshot, scope, file));
  return {
    context: { query, input, base, target, files, kept },
    restored,
    wholeFiles,
    whole,
    parts,
    held,
    owners: held.files === restoredFiles ? ownersBefore : await ownersOf(snapshot, scope, files),
    digest: digestOf({
      hasher: snapshot.hasher,
      scope,
      target: revision.commit,
      items: [...whole.items, ...parts.items, ...held.items],
    }),
  };
}

export async function planRollback(snapshot: Snapshot, input: PlanInput): Promise<Plan> {
  const { scope, target: revision } = input;
  const made = await restoreScope(snapshot, input);
  const { context, restored, wholeFiles, whole, parts, held, owners } = made;
  const { kept } = context;
  const { changes, impact } = await describeChanges(context);
  const findings: Finding[] = [
    ...input.findings,
    ...overlapFinding(snapshot.layout, owners),
    ...(await sharedFinding(snapshot, scope, revision.commit)),
    ...checkNames(context),
    ...(await checkTargetAbsent(context, wholeFiles)),
    ...(await checkCollisions(context)),
    ...restored.findings,
    ...checkWholeFiles(context, wholeFiles, changes),
    ...whole.findings,
    ...parts.findings,
    ...kept.map(keptFinding),
    ...held.findings,
  ];
  if (held.files.length === 0 && findings.every(({ severity }) => severity !== 'block'))
    findings.push(NOTHING_TO_DO);
  return {
    engine: snapshot.layout.rules,
    scope,
    branch: snapshot.branch,
    base: snapshot.base,
    target: revision,
    current: input.current,
    digest: made.digest,
    files: held.files,
    writes: orderWrites({ ...context, files: held.files }),
    changes,
    kept,
    wholeFiles: wholeFiles.map(({ path }) => path),
    impact,
    owners,
    findings,
    overrides: [],
    ...(held.holds && { holds: held.holds }),
  };
}

/** SCOPE_OVERLAP: the changes also belong to other environments, with another policy. */
function overlapFinding({ config }: Layout, [own, ...others]: readonly EnvironmentName[]): Finding[] {
  const rule = own && policyFor(config.policy, own);
  const stricter = others.filter((owner) => policyFor(config.policy, owner) !== rule);
  if (own === undefined || stricter.length === 0) return [];
  const message = `The changes belong to ${stricter.map(formatCoordinates).join(', ')} as well as to ${formatCoordinates(own)}: the policy of each applies.`;
  const hint = 'Patterns of `layout` overlap; `backtrail doctor` names them.';
  return [{ code: 'SCOPE_OVERLAP', severity: 'warn', message, hint }];
}

export function selectionsFor(layout: Layout, scope: Scope): readonly Selection[] {
  return scope.mode === 'field' ? (scope.fields ?? []).map(fieldSelection) : selectionsOf(layout, scope);
}

const NOTHING_TO_DO: Finding = {
  code: 'NOTHING_TO_DO',
  severity: 'info',
  message: 'The scope already equals the target; there is nothing to do.',
};

export function keptFinding({ path, selector, by }: KeptPath): Finding {
  const what = selector === undefined ? quotePath(path) : `${quotePath(path)}#${selector}`;
  return { code: 'KEPT_PATH', severity: 'info', message: `${what} is kept (keep: ${by}).`, path };
}
