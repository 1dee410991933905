/** Whether a commit of the branch is the rollback that it claims to be. Anyone who may push can write trailers. */
import { FAILURES, isFailure, type LedgerRequest, type ObjectId, type RequestId } from '../model/index.ts';
import type { FileChange } from '../model/index.ts';
import { compileLayout } from '../layout/layout.ts';
import type { RollbackRecord } from '../record/trailers.ts';
import { planWithoutDelivery } from '../rollback/plan.ts';
import { readOwnConfig } from '../rollback/observe.ts';
import { makeSnapshot, type Snapshot } from '../snapshot/snapshot.ts';
import type { RequestContext } from './context.ts';
import { writtenHold } from './arrivals/written-hold.ts';

/**
 * By request the commit that says that it executes it, for requests made on these bases: one look from the oldest of them on. All of the line is
 * looked at where one is null, or not on it.
 */
export async function publishedAfter(
  git: RequestContext['git'],
  tip: ObjectId | null,
  bases: readonly (ObjectId | null)[],
): Promise<ReadonlyMap<RequestId, ObjectId>> {
  if (tip === null || bases.length === 0) return new Map();
  const line = await git.history.firstParents(tip);
  const places = new Map(line.map((commit, index) => [commit, index]));
  const depths = bases.map((base) => (base === null ? undefined : places.get(base)) ?? line.length);
  return git.requestsSince({ tip, after: line[Math.max(...depths)] ?? null });
}

/** Whether the commit changes each of these files to the planned content and mode. */
export async function restoresFiles(
  { git }: Pick<RequestContext, 'git'>,
  commit: ObjectId,
  files: readonly Pick<FileChange, 'path' | 'after'>[],
): Promise<boolean> {
  const [written] = await git.inspect([commit]);
  const made = new Map(written?.changes.map(({ path, after }) => [path, after]));
  return files.every(({ path, after }) => {
    const entry = made.get(path);
    return entry !== undefined && entry?.id === after?.id && entry?.mode === after?.mode;
  });
}

/**
 * Whether a commit that names a request is the rollback that was requested: its trailers give the request's target and digest, and it
 * changes the files as the plan on its own parent does. The parent, not the request's base: other parts of a shared file may have
 * changed in between.
 */
export async function executesRequest(
  context: RequestContext,
  snapshot: Snapshot,
  state: LedgerRequest,
  claim: Partial<Pick<RollbackRecord, 'target'>> &
    Pick<RollbackRecord, 'plan'> & { readonly commit: ObjectId },
): Promise<boolean> {
  const target = state.resume ? state.target : claim.target;
  if (target !== state.target || claim.plan !== state.digest) return false;
  const [written] = await context.git.inspect([claim.commit]);
  const base = written?.parents[0];
  if (base === undefined) return false;
  try {
    const plan = await planOn(context, { ...snapshot, base }, state);
    const hold = await writtenHold(context, snapshot, {
      plan,
      request: state,
      changes: written?.changes ?? [],
    });
    const files = [...plan.files, ...(hold ? [hold] : [])];
    return plan.files.length > 0 && (await restoresFiles(context, claim.commit, files));
  } catch (error) {
    // A rollback that cannot be planned there was not made there.
    if (isFailure(error) && FAILURES[error.code].status < 500) return false;
    throw error;
  }
}

async function planOn(
  { git, config }: RequestContext,
  { branch, base, layout: present, reader, history, hasher }: Snapshot,
  request: LedgerRequest,
) {
  const own = config === null ? await readOwnConfig(git, base) : null;
  const layout = own === null ? present : compileLayout(own);
  return planWithoutDelivery(makeSnapshot({ branch, base, layout, reader, history, hasher }), request);
}
