/** Resolves the name of a revision. */
import {
  BacktrailError,
  type Finding,
  formatCoordinates,
  type HistoryReader,
  type ObjectId,
  quotePath,
  type RevisionRef,
} from '../model/index.ts';
import {
  type ScopeContent,
  keptFiles,
  readContent,
  sameContent,
  type ScopeQuery,
} from '../snapshot/scope-content.ts';
import type { Revision } from './revision.ts';
import { coveringRollback, indexAt } from './rolled-back.ts';
import type { RevisionName } from './revision-name.ts';
import { describeUndone, readStandings } from './standings.ts';
import { type Snapshot, unreadRecords } from '../snapshot/snapshot.ts';

export interface ResolvedRevision {
  readonly target: RevisionRef;
  readonly findings: readonly Finding[];
}

/**
 * Resolves a name among the revisions of a scope (newest first).
 * @throws REVISION_UNKNOWN, REVISION_INVALID, REVISION_NOT_ON_BRANCH, SHALLOW_TARGET
 */
export async function resolveRevision(
  query: ScopeQuery,
  revisions: readonly Revision[],
  name: RevisionName,
): Promise<ResolvedRevision> {
  switch (name.kind) {
    case 'version':
      return atVersion(query, revisions, name.version);
    case 'ref':
      return { target: await atCommit(query, revisions, await findNamed(query, name)), findings: [] };
    case 'commit':
      return { target: await atCommit(query, revisions, await findOnLine(query, name.id)), findings: [] };
    case 'time':
      return atTime(query, revisions, name.time);
    case 'previous':
      return previousRevision(query, revisions);
    case 'last-successful':
      return previousRevision(query, revisions, true);
  }
}

const NO_RECORDS: Finding = {
  code: 'NO_RECORDS',
  severity: 'info',
  message: 'No deployment is recorded as successful, so the previous revision is used.',
};

export const refOf = ({ commit, version }: Revision): RevisionRef => ({ commit: commit.id, version });

async function atVersion(
  query: ScopeQuery,
  revisions: readonly Revision[],
  version: number,
): Promise<ResolvedRevision> {
  const name = `v${version}`;
  const { tag } = await query.snapshot.history.named(name).catch(() => ({ tag: null }));
  const found = byVersion(query, revisions, version, tag);
  const findings = numbering(query, version);
  if (tag === null || (await isAt(query, revisions, { tag, found })))
    return { target: refOf(found), findings };
  const message = `${name} is revision ${found.commit.id.slice(0, 10)} of ${formatCoordinates(query.scope)}; the Git tag ${name} points to another commit, ${tag.slice(0, 10)}.`;
  const hint = `--to tag:${name} uses the tag.`;
  return {
    target: refOf(found),
    findings: [...findings, { code: 'TAG_DIFFERS', severity: 'warn', message, hint }],
  };
}

/** Whether the revision is the scope's content at the tag. */
async function isAt(
  { snapshot }: ScopeQuery,
  revisions: readonly Revision[],
  { tag, found }: { tag: ObjectId; found: Revision },
): Promise<boolean> {
  if (tag === found.commit.id) return true;
  const positions = await snapshot.positions();
  return positions.has(tag) && revisions[await indexAt(snapshot, revisions, tag)] === found;
}

function byVersion(
  { snapshot, scope }: ScopeQuery,
  revisions: readonly Revision[],
  version: number,
  tag: ObjectId | null,
): Revision {
  if (snapshot.history.shallow)
    throw new BacktrailError(
      'SHALLOW_TARGET',
      `In this shallow clone v${version} of ${formatCoordinates(scope)} is unknown: versions count from the oldest revision.`,
    );
  const found = revisions.find((revision) => revision.version === version);
  if (found) return found;
  const newest = revisions[0]?.version ?? 0;
  const there = newest === 0 ? 'there are no revisions' : `the newest is v${newest}`;
  throw new BacktrailError(
    'REVISION_UNKNOWN',
    `${formatCoordinates(scope)} has no revision v${version}: ${there}.`,
    tag === null ? {} : { hint: `--to tag:v${version} uses the Git tag of that name.` },
  );
}

/** In field mode versions count revisions of the fields; the user may have read them from the service's history. */
function numbering({ scope }: ScopeQuery, version: number): Finding[] {
  if (scope.mode !== 'field') return [];
  const message = `v${version} counts revisions of the selected fields, not of the whole service.`;
  return [
    {
      code: 'FIELD_NUMBERING',
      severity: 'info',
      message,
      hint: '`backtrail history SCOPE --field FIELD` lists them.',
    },
  ];
}

async function findOnLine(query: ScopeQuery, abbreviated: string): Promise<ObjectId> {
  const commit = await query.snapshot.history.findCommit(abbreviated);
  if (commit === null) throw new BacktrailError('REVISION_UNKNOWN', `Commit ${abbreviated} does not exist.`);
  return requireOnLine(query, commit, `Commit ${abbreviated}`);
}

/** The commit of a tag, a branch or HEAD, or an ancestor of it. */
async function findNamed(
  query: ScopeQuery,
  { name, as, back }: Extract<RevisionName, { kind: 'ref' }>,
): Promise<ObjectId> {
  const { history, base, reader } = query.snapshot;
  let commit = name === null ? base : await atName(history, name, as);
  for (let step = 0; step < back; step += 1) {
    const [parent] = (await reader.commit(commit)).parents;
    if (parent === undefined)
      throw new BacktrailError('REVISION_UNKNOWN', `${name ?? 'HEAD'} does not have ${back} ancestors.`);
    commit = parent;
  }
  return requireOnLine(
    query,
    commit,
    `${name ?? 'HEAD'}${back === 0 ? '' : `~${back}`} (${commit.slice(0, 10)})`,
  );
}

async function atName(history: HistoryReader, name: string, as: 'tag' | 'branch' | 'any'): Promise<ObjectId> {
  const { tag, branch } = await history.named(name);
  if (as === 'any' && tag !== null && branch !== null && tag !== branch)
    throw new BacktrailError('REVISION_INVALID', `${name} is ambiguous: a tag and a branch have this name.`, {
      hint: `Write tag:${name} or branch:${name}.`,
    });
  const found = as === 'tag' ? tag : as === 'branch' ? branch : (tag ?? branch);
  if (found !== null) return found;
  // `abc1234~1`: parseRevision recognises a commit id only without a suffix.
  const commit = as === 'any' && /^[0-9a-f]{4,64}$/i.test(name) ? await history.findCommit(name) : null;
  if (commit !== null) return commit;
  const what = as === 'any' ? 'tag or branch' : as;
  throw new BacktrailError('REVISION_UNKNOWN', `The ${what} ${name} does not exist.`);
}

async function requireOnLine({ snapshot }: ScopeQuery, commit: ObjectId, named: string): Promise<ObjectId> {
  if (!(await snapshot.positions()).has(commit)) {
    // The object may exist although the history up to it is truncated.
    if (snapshot.history.shallow)
      throw new BacktrailError(
        'SHALLOW_TARGET',
        `In this shallow clone it is unknown whether ${named} is on the first-parent line of ${snapshot.branch}.`,
      );
    const message = `${named} is not on the first-parent line of ${snapshot.branch}.`;
    throw new BacktrailError('REVISION_NOT_ON_BRANCH', message, { details: { commit } });
  }
  return commit;
}

/** The newest revision at or before a commit; the commit itself, without version, if it is older than the scope. */
async function atCommit(
  { snapshot }: ScopeQuery,
  revisions: readonly Revision[],
  commit: ObjectId,
): Promise<RevisionRef> {
  const revision = revisions[await indexAt(snapshot, revisions, commit)];
  return revision ? refOf(revision) : { commit, version: null };
}

async function atTime(
  { snapshot, scope }: ScopeQuery,
  revisions: readonly Revision[],
  time: string,
): Promise<ResolvedRevision> {
  const isBefore = ({ commit }: Revision) => Date.parse(commit.time) < Date.parse(time);
  const index = revisions.findIndex(isBefore);
  const revision = revisions[index];
  if (revision) {
    const late = revisions.slice(index + 1).find((older) => !isBefore(older));
    return { target: refOf(revision), findings: late ? [disordered(revision, late)] : [] };
  }
  const commit = await snapshot.history.firstParentBefore(snapshot.base, time);
  if (commit !== null) return { target: { commit, version: null }, findings: [] };
  throw new BacktrailError('REVISION_UNKNOWN', `${formatCoordinates(scope)} has no revision before ${time}.`);
}

/** Commit dates are not reliable; the order of the line is. */
const disordered = ({ version }: Revision, late: Revision): Finding => ({
  code: 'TIMES_DISORDERED',
  severity: 'warn',
  message: `v${version} is the newest revision dated before that time, but the older v${late.version} is dated later.`,
  hint: `Check the history, and name the revision itself if it is not v${version}.`,
});

/**
 * The newest earlier revision whose content differs from the current one. Skips revisions that were undone (by a rollback, by
 * `git revert`, or by a return to the former content), those that still contain something a rollback of a part undid, and those that
 * records of deployments speak against. If the current revision is a rollback of this scope, the search starts before that rollback's
 * target. `isSuccessful`: only what is recorded as deployed, where anything is recorded of the scope.
 */
async function previousRevision(
  query: ScopeQuery,
  all: readonly Revision[],
  isSuccessful = false,
): Promise<ResolvedRevision> {
  const { snapshot } = query;
  // A resume gives back what a hold took away: what is deployed is that of the revision before it.
  const revisions = all.slice(
    Math.max(
      0,
      all.findIndex(({ isResume }) => !isResume),
    ),
  );
  const [current] = revisions;
  if (!current) throw noEarlierRevision(query, `has no revisions${await whyNone(query)}`);
  if (snapshot.history.shallow && (await crossesShallowBoundary(snapshot, revisions)))
    throw noEarlierRevision(query, 'was rolled back to a revision that is not');
  const rollback = await coveringRollback(query, revisions, current);
  const start = rollback ? (await indexAt(snapshot, revisions, rollback.target)) + 1 : 1;
  const now = await readContent(query, snapshot.base);
  const standings = await readStandings(query, revisions);
  const needsRecord = isSuccessful && standings.areRecorded;
  const skipped: Skipped = {
    undone: revisions.slice(1, start).filter(({ undoneBy }) => undoneBy !== null),
    ineligible: [],
  };
  const unread = await unreadRecords(snapshot);
  const notes = [...(isSuccessful && !needsRecord ? [NO_RECORDS] : []), ...unread];
  for (const revision of revisions.slice(start)) {
    if (describeUndone(revision) !== null) {
      skipped.undone.push(revision);
      continue;
    }
    const { status, eligible, reasons } = standings.of(revision);
    if (!eligible || (needsRecord && status !== 'deployed')) {
      const reason = reasons[0] ?? 'It is not recorded as deployed.';
      skipped.ineligible.push({ revision, reason });
      continue;
    }
    const then = await readContent(query, revision.commit.id);
    if (!(await sameContent(snapshot, now, then)) && !isEmpty(then))
      return { target: refOf(revision), findings: [...notes, ...skippedFindings(skipped)] };
  }
  throw revisions.length === 1 ? neverChanged(query, current) : noneDiffers(query, skipped);
}

interface Skipped {
  readonly undone: Revision[];
  readonly ineligible: { readonly revision: Revision; readonly reason: string }[];
}

const MAX_NAMED = 3;

function namesOf(skipped: readonly Revision[]): string {
  const names = skipped.slice(0, MAX_NAMED).map(describeUndone).join(', ');
  return skipped.length > MAX_NAMED ? `${names} and ${skipped.length - MAX_NAMED} more` : names;
}

/** `v4: Its deployment failed, 2026-11-20 10:00 UTC (dep-…).` */
function reasonsOf(skipped: Skipped['ineligible']): string {
  const named = skipped.slice(0, MAX_NAMED);
  const all = named.map(({ revision, reason }) => `v${revision.version}: ${reason}`).join(' ');
  return skipped.length > MAX_NAMED ? `${all} And ${skipped.length - MAX_NAMED} more.` : all;
}

const goForwardHint = (version: number | undefined) => `--to v${version} selects the newest of them.`;

function skippedFindings({ undone, ineligible }: Skipped): Finding[] {
  const [newest] = ineligible;
  return [
    ...(undone.length === 0
      ? []
      : [
          {
            code: 'UNDONE_SKIPPED',
            severity: 'info',
            message: `${namesOf(undone)}: skipped.`,
            hint: goForwardHint(undone[0]?.version),
          } as const,
        ]),
    ...(newest === undefined
      ? []
      : [
          {
            code: 'INELIGIBLE_SKIPPED',
            severity: 'info',
            message: `Skipped by what is recorded of their deployments: ${reasonsOf(ineligible)}`,
            hint: goForwardHint(newest.revision.version),
          } as const,
        ]),
  ];
}

/** The scope has one revision only; changes of the file or service since then were outside of it. */
function neverChanged(query: ScopeQuery, { version, commit }: Revision): BacktrailError {
  const { fields = [] } = query.scope;
  const place = `v${version}, ${commit.id.slice(0, 10)}`;
  if (query.scope.mode !== 'field')
    return noEarlierRevision(query, `has no earlier revision: it has not changed since ${place}`);
  const name = fields.map((field) => JSON.stringify(field)).join(' and ');
  const [has, it] = fields.length === 1 ? ['has', 'it'] : ['have', 'they'];
  const error = noEarlierRevision(
    query,
    `${has} not changed since ${it} appeared in ${place}`,
    `${name} of `,
  );
  return new BacktrailError(error.code, error.message, {
    hint: `Another field may have changed: \`backtrail history ${formatCoordinates(query.scope)}\` lists what changed.`,
  });
}

function noneDiffers(query: ScopeQuery, { undone, ineligible }: Skipped): BacktrailError {
  const error = noEarlierRevision(query, 'has no earlier revision that differs from the current one');
  const newest = undone[0] ?? ineligible[0]?.revision;
  if (newest === undefined || error.code === 'SHALLOW_TARGET') return error;
  const why = [
    ...(undone.length === 0 ? [] : [`undone ones: ${namesOf(undone)}`]),
    ...(ineligible.length === 0 ? [] : [`those that records speak against: ${reasonsOf(ineligible)}`]),
  ].join('; and ');
  const message = `${error.message.slice(0, -1)}, except ${why.replace(/\.$/, '')}.`;
  return new BacktrailError(error.code, message, { hint: goForwardHint(newest.version) });
}

/** Says so if the scope's files are all kept: these never make a revision. */
async function whyNone(query: ScopeQuery): Promise<string> {
  const [kept, ...others] = await keptFiles(query.snapshot, await readContent(query, query.snapshot.base));
  if (kept === undefined) return '';
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return `: ${quotePath(kept.path)}${more} is excluded from rollbacks (keep: ${kept.by})`;
}

/** Whether a rollback's target is beyond a shallow boundary: then its skipped revisions cannot be told from others. */
async function crossesShallowBoundary(snapshot: Snapshot, revisions: readonly Revision[]): Promise<boolean> {
  const positions = await snapshot.positions();
  return revisions.some(({ rollbacks }) => rollbacks.some(({ target }) => !positions.has(target)));
}

function noEarlierRevision({ snapshot, scope }: ScopeQuery, why: string, part = ''): BacktrailError {
  const where = snapshot.history.shallow ? ' in this shallow clone' : '';
  const code = snapshot.history.shallow ? 'SHALLOW_TARGET' : 'REVISION_UNKNOWN';
  return new BacktrailError(code, `${part}${formatCoordinates(scope)} ${why}${where}.`);
}

const isEmpty = ({ files, parts }: ScopeContent) => files.size === 0 && parts.size === 0;
