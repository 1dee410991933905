/** Which revision does somebody mean? `v12`, a commit id, `previous`, `last-successful`, `@2026-11-20T10:00Z`. */
import {
  BacktrailError,
  type Finding,
  formatCoordinates,
  type ObjectId,
  type RevisionRef,
} from '../model/index.ts';
import { type Content, readContent, sameContent, type ScopeQuery } from './content.ts';
import type { Revision } from './history.ts';
import { covers, indexAt, wentBack } from './left-behind.ts';
import type { Snapshot } from './snapshot.ts';

export type RevisionName =
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'commit'; readonly id: string }
  | { readonly kind: 'previous' }
  | { readonly kind: 'last-successful' }
  | { readonly kind: 'time'; readonly time: string };

/** REVISION_INVALID for anything else: names of refs, options and revision expressions never reach git. */
export function parseRevision(text: string): RevisionName {
  if (text === 'previous' || text === 'last-successful') return { kind: text };
  const version = /^v([1-9]\d{0,8})$/.exec(text)?.[1];
  if (version !== undefined) return { kind: 'version', version: Number(version) };
  if (/^[0-9a-f]{4,64}$/i.test(text)) return { kind: 'commit', id: text.toLowerCase() };
  const time = text.startsWith('@') ? parseTime(text.slice(1)) : null;
  if (time !== null) return { kind: 'time', time };
  throw new BacktrailError(
    'REVISION_INVALID',
    `${JSON.stringify(text.slice(0, 100))} does not name a revision.`,
  );
}

/** ISO 8601, from a date alone to milliseconds; without a zone it is UTC. null for anything else. */
export function parseTime(text: string): string | null {
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  if (!match) return null;
  const milliseconds = Date.parse(`${match[1]}T${match[2] ?? '00:00'}${match[3] ?? 'Z'}`);
  return Number.isNaN(milliseconds) || !isDay(match[1] ?? '') ? null : new Date(milliseconds).toISOString();
}

/** Date.parse takes 31 February for 3 March. */
function isDay(date: string): boolean {
  const milliseconds = Date.parse(`${date}T00:00Z`);
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString().startsWith(date);
}

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
      return {
        target: refOf(byVersion(query, revisions, name.version)),
        findings: numbering(query, name.version),
      };
    case 'commit':
      return { target: await atCommit(query, revisions, await findOnLine(query, name.id)), findings: [] };
    case 'time':
      return atTime(query, revisions, name.time);
    case 'previous':
      return { target: refOf(await previous(query, revisions)), findings: [] };
    case 'last-successful':
      return { target: refOf(await previous(query, revisions)), findings: [NO_RECORDS] };
  }
}

const NO_RECORDS: Finding = {
  code: 'NO_RECORDS',
  severity: 'info',
  message: 'No deployment is recorded as successful, so the previous revision was taken.',
};

export const refOf = ({ commit, version }: Revision): RevisionRef => ({ commit: commit.id, version });

function byVersion(
  { snapshot, scope }: ScopeQuery,
  revisions: readonly Revision[],
  version: number,
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

async function findOnLine({ snapshot }: ScopeQuery, abbreviated: string): Promise<ObjectId> {
  const commit = await snapshot.history.findCommit(abbreviated);
  if (commit === null) throw new BacktrailError('REVISION_UNKNOWN', `There is no commit ${abbreviated}.`);
  if (!(await snapshot.positions()).has(commit)) {
    // Its object can be there although the line to it is cut.
    if (snapshot.history.shallow)
      throw new BacktrailError(
        'SHALLOW_TARGET',
        `This shallow clone does not show whether commit ${abbreviated} is on the first-parent line of ${snapshot.branch}.`,
      );
    const message = `Commit ${abbreviated} is not on the first-parent line of ${snapshot.branch}.`;
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
 * The newest earlier revision whose selected content differs from the current, leaving out what a rollback went back behind.
 * When the current revision is a rollback of this scope, the search goes on before that rollback's target.
 */
async function previous(query: ScopeQuery, revisions: readonly Revision[]): Promise<Revision> {
  const { snapshot } = query;
  const [current] = revisions;
  if (!current) throw unknownEarlier(query, 'has no revisions');
  if (snapshot.history.shallow && (await goesBehindCut(snapshot, revisions)))
    throw unknownEarlier(query, 'was rolled back to a revision that is not');
  const counts =
    (await wentBack(snapshot, revisions, current)) && current.rollback && covers(current.rollback, query);
  const rollback = counts ? current.rollback : null;
  const start = rollback ? (await indexAt(snapshot, revisions, rollback.target)) + 1 : 1;
  const now = await readContent(query, snapshot.base);
  for (const revision of revisions.slice(start)) {
    if (revision.rolledBackBy !== null) continue;
    const then = await readContent(query, revision.commit.id);
    if (!(await sameContent(snapshot, now, then)) && !isEmpty(then)) return revision;
  }
  throw unknownEarlier(query, 'has no earlier revision that differs from the current one');
}

/** What such a rollback left behind cannot be told from what is good. */
async function goesBehindCut(snapshot: Snapshot, revisions: readonly Revision[]): Promise<boolean> {
  const positions = await snapshot.positions();
  return revisions.some(({ rollback }) => rollback !== null && !positions.has(rollback.target));
}

function unknownEarlier({ snapshot, scope }: ScopeQuery, why: string): BacktrailError {
  const where = snapshot.history.shallow ? ' in this shallow clone' : '';
  const code = snapshot.history.shallow ? 'SHALLOW_TARGET' : 'REVISION_UNKNOWN';
  return new BacktrailError(code, `${formatCoordinates(scope)} ${why}${where}.`);
}

const isEmpty = ({ files, parts }: Content) => files.size === 0 && parts.size === 0;
