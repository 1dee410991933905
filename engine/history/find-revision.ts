/** Which revision of a scope does a name mean? */
import {
  BacktrailError,
  type Finding,
  formatCoordinates,
  type HistoryReader,
  type ObjectId,
  quotePath,
  type RevisionRef,
} from '../model/index.ts';
import { type Content, keptFiles, readContent, sameContent, type ScopeQuery } from '../snapshot/content.ts';
import type { Revision } from './revision.ts';
import { covers, indexAt, wentBack } from './rolled-back.ts';
import type { RevisionName } from './revision-name.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

export interface Resolved {
  readonly target: RevisionRef;
  readonly findings: readonly Finding[];
}

/** Finds the revision meant, among the revisions of the scope (newest first). */
export async function resolveRevision(
  query: ScopeQuery,
  revisions: readonly Revision[],
  name: RevisionName,
): Promise<Resolved> {
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
      return previous(query, revisions);
    case 'last-successful': {
      const { target, findings } = await previous(query, revisions);
      return { target, findings: [NO_RECORDS, ...findings] };
    }
  }
}

const NO_RECORDS: Finding = {
  code: 'NO_RECORDS',
  severity: 'info',
  message: 'No deployment is recorded as successful, so the previous revision was taken.',
};

export const refOf = ({ commit, version }: Revision): RevisionRef => ({ commit: commit.id, version });

async function atVersion(
  query: ScopeQuery,
  revisions: readonly Revision[],
  version: number,
): Promise<Resolved> {
  const name = `v${version}`;
  const { tag } = await query.snapshot.history.named(name).catch(() => ({ tag: null }));
  const found = byVersion(query, revisions, version, tag);
  const findings = numbering(query, version);
  if (tag === null || (await isAt(query, revisions, { tag, found })))
    return { target: refOf(found), findings };
  const message = `${name} is the revision ${found.commit.id.slice(0, 10)} of ${formatCoordinates(query.scope)}; the Git tag ${name} is at another commit, ${tag.slice(0, 10)}.`;
  const hint = `--to tag:${name} takes the tag.`;
  return {
    target: refOf(found),
    findings: [...findings, { code: 'TAG_DIFFERS', severity: 'warn', message, hint }],
  };
}

/** Is the revision what the scope held at the tag? */
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
    tag === null ? {} : { hint: `--to tag:v${version} takes the Git tag of that name.` },
  );
}

/** In field mode the numbers are the field's own: say so, for whoever read them off the service's history. */
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
  if (commit === null) throw new BacktrailError('REVISION_UNKNOWN', `There is no commit ${abbreviated}.`);
  return requireOnLine(query, commit, `Commit ${abbreviated}`);
}

/** The commit that a tag, a branch or HEAD is at, or one before it. */
async function findNamed(
  query: ScopeQuery,
  { name, as, back }: Extract<RevisionName, { kind: 'ref' }>,
): Promise<ObjectId> {
  const { history, base, reader } = query.snapshot;
  let commit = name === null ? base : await atName(history, name, as);
  for (let step = 0; step < back; step += 1) {
    const [parent] = (await reader.commit(commit)).parents;
    if (parent === undefined)
      throw new BacktrailError('REVISION_UNKNOWN', `${name ?? 'HEAD'} has no ${back} commits before it.`);
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
    throw new BacktrailError('REVISION_INVALID', `${name} is the name of a tag and of a branch.`, {
      hint: `Write tag:${name} or branch:${name}.`,
    });
  const found = as === 'tag' ? tag : as === 'branch' ? branch : (tag ?? branch);
  if (found !== null) return found;
  // `abc1234~1`: a commit id alone was read as one before.
  const commit = as === 'any' && /^[0-9a-f]{4,64}$/i.test(name) ? await history.findCommit(name) : null;
  if (commit !== null) return commit;
  const what = as === 'any' ? 'tag or branch' : as;
  throw new BacktrailError('REVISION_UNKNOWN', `There is no ${what} ${name}.`);
}

async function requireOnLine({ snapshot }: ScopeQuery, commit: ObjectId, named: string): Promise<ObjectId> {
  if (!(await snapshot.positions()).has(commit)) {
    // Its object can be there although the line to it is cut.
    if (snapshot.history.shallow)
      throw new BacktrailError(
        'SHALLOW_TARGET',
        `This shallow clone does not show whether ${named} is on the first-parent line of ${snapshot.branch}.`,
      );
    const message = `${named} is not on the first-parent line of ${snapshot.branch}.`;
    throw new BacktrailError('REVISION_NOT_ON_BRANCH', message, { details: { commit } });
  }
  return commit;
}

/** The newest revision at or before a commit; the commit itself, without version, where the scope is younger. */
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
): Promise<Resolved> {
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

/** Commits may claim any time; the order of the line is certain. */
const disordered = ({ version }: Revision, late: Revision): Finding => ({
  code: 'TIMES_DISORDERED',
  severity: 'warn',
  message: `v${version} is the newest revision dated before that time, but v${late.version}, which came earlier, is dated later.`,
  hint: `See the history, and name the revision itself if v${version} is not the one.`,
});

/**
 * The newest earlier revision whose selected content differs from the current, leaving out what was taken back: by a rollback, by
 * `git revert`, or by returning to what was before; and what still holds something that a rollback of a part took back. When the current revision is a rollback of this scope, the search goes on before
 * that rollback's target.
 */
async function previous(query: ScopeQuery, revisions: readonly Revision[]): Promise<Resolved> {
  const { snapshot } = query;
  const [current] = revisions;
  if (!current) throw unknownEarlier(query, `has no revisions${await whyNone(query)}`);
  if (snapshot.history.shallow && (await goesBehindCut(snapshot, revisions)))
    throw unknownEarlier(query, 'was rolled back to a revision that is not');
  const counts =
    (await wentBack(snapshot, revisions, current)) && current.rollback && covers(current.rollback, query);
  const rollback = counts ? current.rollback : null;
  const start = rollback ? (await indexAt(snapshot, revisions, rollback.target)) + 1 : 1;
  const now = await readContent(query, snapshot.base);
  const skipped = revisions.slice(1, start).filter(({ undoneBy }) => undoneBy !== null);
  for (const revision of revisions.slice(start)) {
    if (revision.undoneBy !== null || revision.holdsLeft !== null) {
      skipped.push(revision);
      continue;
    }
    const then = await readContent(query, revision.commit.id);
    if (!(await sameContent(snapshot, now, then)) && !isEmpty(then))
      return { target: refOf(revision), findings: skipped.length === 0 ? [] : [skippedFinding(skipped)] };
  }
  throw revisions.length === 1 ? neverChanged(query, current) : noneDiffers(query, skipped);
}

/** `v3 was rolled back by 1a2b3c4d5e` */
function takenBack({ version, rolledBackBy, undoneBy, holdsLeft }: Revision): string {
  if (undoneBy === null && holdsLeft !== null)
    return `v${version} still holds what ${holdsLeft.slice(0, 10)} took back`;
  const how = rolledBackBy === null ? 'reverted' : 'rolled back';
  return `v${version} was ${how} by ${(undoneBy ?? '').slice(0, 10)}`;
}

const NAMED = 3;

function namesOf(skipped: readonly Revision[]): string {
  const names = skipped.slice(0, NAMED).map(takenBack).join(', ');
  return skipped.length > NAMED ? `${names} and ${skipped.length - NAMED} more` : names;
}

const goForward = ([newest]: readonly Revision[]) =>
  `--to v${newest?.version} returns to the newest of them.`;

const skippedFinding = (skipped: readonly Revision[]): Finding => ({
  code: 'UNDONE_SKIPPED',
  severity: 'info',
  message: `${namesOf(skipped)}: not taken for the previous revision.`,
  hint: goForward(skipped),
});

/** It stands as it came: what changed in the file since, or in the service, was something else. */
function neverChanged(query: ScopeQuery, { version, commit }: Revision): BacktrailError {
  const { fields = [] } = query.scope;
  const place = `v${version}, ${commit.id.slice(0, 10)}`;
  if (query.scope.mode !== 'field')
    return unknownEarlier(query, `has no earlier revision: it stands as it came with ${place}`);
  const name = fields.map((field) => JSON.stringify(field)).join(' and ');
  const [has, it] = fields.length === 1 ? ['has', 'it'] : ['have', 'they'];
  const error = unknownEarlier(query, `${has} never changed since ${it} came with ${place}`, `${name} of `);
  return new BacktrailError(error.code, error.message, {
    hint: `Another field may have: \`backtrail history ${formatCoordinates(query.scope)}\` lists what changed.`,
  });
}

function noneDiffers(query: ScopeQuery, skipped: readonly Revision[]): BacktrailError {
  const error = unknownEarlier(query, 'has no earlier revision that differs from the current one');
  if (skipped.length === 0 || error.code === 'SHALLOW_TARGET') return error;
  const message = `${error.message.slice(0, -1)}, but for what was taken back: ${namesOf(skipped)}.`;
  return new BacktrailError(error.code, message, { hint: goForward(skipped) });
}

/** Where all that is there is kept, nothing of it ever makes a revision. */
async function whyNone(query: ScopeQuery): Promise<string> {
  const [kept, ...others] = await keptFiles(query.snapshot, await readContent(query, query.snapshot.base));
  if (kept === undefined) return '';
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return `: ${quotePath(kept.path)}${more} is kept out of rollbacks (keep: ${kept.by})`;
}

/** What such a rollback left behind cannot be told from what is good. */
async function goesBehindCut(snapshot: Snapshot, revisions: readonly Revision[]): Promise<boolean> {
  const positions = await snapshot.positions();
  return revisions.some(({ rollback }) => rollback !== null && !positions.has(rollback.target));
}

function unknownEarlier({ snapshot, scope }: ScopeQuery, why: string, part = ''): BacktrailError {
  const where = snapshot.history.shallow ? ' in this shallow clone' : '';
  const code = snapshot.history.shallow ? 'SHALLOW_TARGET' : 'REVISION_UNKNOWN';
  return new BacktrailError(code, `${part}${formatCoordinates(scope)} ${why}${where}.`);
}

const isEmpty = ({ files, parts }: Content) => files.size === 0 && parts.size === 0;
