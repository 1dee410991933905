/** `deployment record`: what a pipeline says of a deployment. */
import {
  BacktrailError,
  type Deployment,
  type DeploymentEvent,
  type DeploymentId,
  type EventId,
  formatCoordinates,
  isDeploymentId,
  makeDeploymentId,
  type RevisionRef,
  type Scope,
} from '../model/index.ts';
import { resolveRevision } from '../history/find-revision.ts';
import { parseRevision } from '../history/revision-name.ts';
import type { Revision } from '../history/revision.ts';
import { IMAGE_LIMIT, MOST_IMAGES, NOTE_LIMIT } from '../record/deployment-file.ts';
import { FIRST_STATUSES, isDeploymentStatus, mayFollow } from '../record/deployment-transitions.ts';
import { historyOf, resolveScope } from '../rollback/planning/asked-scope.ts';
import { type RequestContext, rulesOf } from '../requests/context.ts';
import { requirePermission } from '../requests/gate/permissions.ts';
import { rawSecretError, requireNoSecret, type SecretScans } from '../snapshot/secrets/raw-secrets.ts';
import { appendDeployments } from './append.ts';
import { type DeployedContent, deployedContent, listed } from './content.ts';
import { judgeDeployments } from './counted.ts';
import { findOne } from './find.ts';
import { coordinatesOf, type DeploymentCache, type DeploymentStore, textOf } from './store.ts';
import type { DeploymentView, RecordInput } from './types.ts';
import { viewOf } from './view.ts';

interface RecordPlace {
  readonly context: RequestContext;
  readonly cache: DeploymentCache;
  readonly scans: SecretScans;
}

export async function recordDeployment(
  { context, cache, scans }: RecordPlace,
  input: RecordInput,
): Promise<DeploymentView> {
  const { git, clock, random } = context;
  git.requireWriting();
  const { actor } = input;
  if (input.opens !== undefined && !isDeploymentId(input.opens))
    throw invalid('The id of a record is dep- and 26 characters.');
  const said = await saidIn(input);
  const snapshot = await context.observe();
  const rules = await rulesOf(context, snapshot);
  const { deployments, commit: style } = snapshot.layout.config;
  const names = coordinatesOf(await resolveScope(snapshot, { scope: input.scope }));
  const scope: Scope = { mode: names.service === undefined ? 'full' : 'service', ...names };
  requirePermission(rules.policy, actor, 'record', scope);
  const { query, revisions } = await historyOf(snapshot, scope);
  const revision =
    input.id !== undefined && input.commit === undefined
      ? null
      : (await resolveRevision(query, revisions, parseRevision(input.commit ?? 'HEAD', clock.now()))).target;
  const returned =
    input.rollbackOf === undefined
      ? null
      : (await resolveRevision(query, revisions, parseRevision(input.rollbackOf, clock.now()))).target;
  const place = { context, cache, ref: deployments.ref, signoff: style.signoff };
  const content = revision === null ? null : await deployedContent(snapshot, scope, revision.commit, scans);
  const asked = {
    input,
    said,
    scope,
    revision,
    revisions,
    content,
    returned,
    makeId: () => input.opens ?? makeDeploymentId(clock.now(), random(10)),
  };
  let own = '';
  let repeats = false;
  const store = await appendDeployments(place, async (present, stamped) => {
    const judged = await judgeDeployments(
      { context, rules, store: present },
      await present.read(idsOf(present, scope)),
    );
    // What does not count can be written by anybody: it must not stand in the way.
    const records = judged.flatMap(({ state, counted }) => {
      const record = rules.knowsKeys ? counted : state;
      return record === null ? [] : [record];
    });
    const named = input.id === undefined ? null : requireOwn(records, findOne(present, input.id), asked);
    const decided = recordedBefore(present, records, asked) ?? decide(asked, { records, named });
    own = decided.id;
    repeats = decided.events.length === 0;
    const { at } = stamped(actor);
    const known = input.opens === undefined ? {} : { id: eventOf(input.opens) };
    return decided.events.map((event, index) => ({
      ...stamped(actor),
      at,
      ...(index === 0 && known),
      ...event,
    }));
  });
  if (repeats) input.onRepeated?.();
  const [judged] = await judgeDeployments({ context, rules, store }, await store.read([own]));
  if (judged === undefined) throw new BacktrailError('INTERNAL', `The record ${own} was not written.`);
  return viewOf(judged);
}

/** Of the event by which a record is opened, or goes on, for a call that names what it opens. */
const eventOf = (opens: DeploymentId): EventId => opens.replace('dep', 'evt');

/** The record that the same call opened before, or gave its next status; null where there is none. @throws KEY_REUSED */
function recordedBefore(
  present: DeploymentStore,
  records: readonly Deployment[],
  { input: { opens, status, commit }, said, scope, revision }: Asked,
): { readonly id: string; readonly events: [] } | null {
  if (opens === undefined) return null;
  const [known] = [
    ...present.known(({ id }) => id === opens, `${opens}"`),
    ...present.known(undefined, `"${eventOf(opens)}"`),
  ];
  if (known === undefined) return null;
  // The current revision may be another one by now.
  const isOther = commit !== undefined && revision !== null && known.commit !== revision.commit;
  // What it said then is still among what it says now.
  const own = records.find(({ id }) => id === known.id);
  const isLess = own !== undefined && (own.times[status] === undefined || !isSaid(own, said));
  if (isOther || isLess || formatCoordinates(known) !== formatCoordinates(scope))
    throw new BacktrailError('KEY_REUSED', `The record ${known.id} is of something else.`);
  return { id: known.id, events: [] };
}

interface Asked {
  readonly input: RecordInput;
  readonly said: Said;
  readonly scope: Scope;
  readonly revision: RevisionRef | null;
  readonly revisions: readonly Revision[];
  readonly content: DeployedContent | null;
  /** Of a rollback: where it returned to. */
  readonly returned: RevisionRef | null;
  readonly makeId: () => string;
}

type Unstamped = Omit<DeploymentEvent, 'id' | 'at' | 'actor' | 'authenticated'>;

/** The record that it is about, and what is to be written of it and of those that it overtakes. @throws DEPLOYMENT_STATUS, RAW_SECRET */
function decide(
  asked: Asked,
  { records, named }: { records: readonly Deployment[]; named: Deployment | null },
): { readonly id: string; readonly events: readonly Unstamped[] } {
  const { input, said, revision, revisions } = asked;
  const { status } = input;
  const there = records.find((record) => record.commit === revision?.commit && record.status === status);
  const before = named ?? (input.once === true ? there : undefined) ?? candidateOf(records, revision, status);
  if (before?.status === status && (input.once === true || isSaid(before, said)))
    return { id: before.id, events: [] };
  const next = before !== null && mayFollow(before.status, status) ? transition(before, asked) : null;
  if (next === null && (named !== null || !FIRST_STATUSES.includes(status)))
    throw noTransition(before, asked);
  const event = next ?? opened(asked);
  const id = event.deployment;
  const commit = event.opening?.commit ?? before?.commit ?? '';
  const older = status === 'deployed' ? overtaken(records, revisions, commit) : [];
  const superseded = older
    .filter((record) => record.id !== id)
    .map((record): Unstamped => ({ ...NOTHING_SAID, deployment: record.id, status: 'superseded', by: id }));
  return { id, events: [event, ...superseded] };
}

const NOTHING_SAID = { opening: null, note: null, migration: null, images: [] } as const;

function transition(before: Deployment, { input: { status, source }, said }: Asked): Unstamped {
  const images = said.images.filter((image) => !before.images.includes(image));
  const { note, migration } = said;
  const seen = source === 'observer' ? { source } : {};
  return { deployment: before.id, status, ...seen, opening: null, note, migration, images, by: null };
}

/** @throws RAW_SECRET, REVISION_UNKNOWN, INVALID_REQUEST */
function opened({ input, said, scope, revision, content, returned, makeId }: Asked): Unstamped {
  if (content === null || revision === null) throw new BacktrailError('INTERNAL', 'There is no revision.');
  const { commit, version } = requireRevision(scope, revision);
  if (content.secret !== null) throw rawSecretError(content.secret);
  const from = returned && requireRevision(scope, returned);
  if (from !== null && from.version >= version)
    throw invalid(`v${from.version} is not older than v${version}: a rollback returns to an older revision.`);
  const { note, migration } = said;
  const opening = {
    ...coordinatesOf(scope),
    commit,
    version,
    images: listed([...said.images, ...content.images]),
    charts: content.charts,
    source: input.source ?? 'pipeline',
    rollback: from && { request: null, ...from },
  };
  const { status } = input;
  return { deployment: makeId(), status, opening, note, migration, images: [], by: null };
}

/** Records of a scope that are looked at, newest first: older ones are long over. */
const MOST = 1000;

const idsOf = (store: DeploymentStore, scope: Scope) =>
  store
    .known(
      ({ tenant, environment, service }) =>
        tenant === scope.tenant && environment === scope.environment && service === scope.service,
      textOf(scope),
    )
    .slice(0, MOST)
    .map(({ id }) => id);

interface Said {
  readonly images: readonly string[];
  readonly note: string | null;
  readonly migration: string | null;
}

/** What a caller can get wrong. @throws INVALID_REQUEST, RAW_SECRET */
async function saidIn({ status, images = [], note, migration }: RecordInput): Promise<Said> {
  if (!isDeploymentStatus(status)) throw invalid(`${quoted(status)} is not a status of a deployment.`);
  if (!Array.isArray(images) || images.length > MOST_IMAGES)
    throw invalid(`A record holds at most ${MOST_IMAGES} images.`);
  for (const image of images)
    if (typeof image !== 'string' || image === '' || image.length > IMAGE_LIMIT || /[\s\p{C}]/u.test(image))
      throw invalid(`${quoted(image)} is not an image.`);
  const said = {
    images: [...new Set(images)],
    note: textIn(note, 'A note'),
    migration: textIn(migration, 'What is said of a migration'),
  };
  await requireNoSecret(
    'What is recorded',
    [...said.images, said.note ?? '', said.migration ?? ''].join('\n'),
  );
  return said;
}

function textIn(text: string | undefined, what: string): string | null {
  if (text === undefined) return null;
  if (typeof text !== 'string' || text.trim() === '' || text.length > NOTE_LIMIT)
    throw invalid(`${what} is a text of at most ${NOTE_LIMIT} characters.`);
  return text.trim();
}

const invalid = (message: string) => new BacktrailError('INVALID_REQUEST', message);
const quoted = (value: unknown) => JSON.stringify(String(value).slice(0, 60));

/** @throws DEPLOYMENT_UNKNOWN, INVALID_REQUEST */
function requireOwn(
  records: readonly Deployment[],
  id: string,
  { scope, revision, input }: Asked,
): Deployment {
  const found = records.find((record) => record.id === id);
  const name = formatCoordinates(scope);
  if (found === undefined)
    throw new BacktrailError('DEPLOYMENT_UNKNOWN', `${name} has no record ${id} that counts.`, {
      details: { id },
    });
  if (revision !== null && revision.commit !== found.commit)
    throw invalid(`${id} is of ${found.commit.slice(0, 10)}, not of ${quoted(input.commit)}.`);
  return found;
}

/** The newest record of the revision that may have this status next, or has it and is the newest of the scope. */
function candidateOf(
  records: readonly Deployment[],
  revision: RevisionRef | null,
  status: Deployment['status'],
): Deployment | null {
  const own = records.filter(({ commit }) => commit === revision?.commit);
  const [newest] = records;
  if (newest !== undefined && newest === own[0] && newest.status === status) return newest;
  return (
    own.find((record) => mayFollow(record.status, status)) ??
    (FIRST_STATUSES.includes(status) ? null : (own[0] ?? null))
  );
}

/** A pipeline that runs a step again says the same again. */
function isSaid(before: Deployment, { images, note, migration }: Said): boolean {
  return (
    images.every((image) => before.images.includes(image)) &&
    (note === null || before.notes.some(({ text }) => text === note)) &&
    (migration === null || before.migration === migration)
  );
}

/** Pending records of older revisions. */
function overtaken(
  records: readonly Deployment[],
  revisions: readonly Revision[],
  commit: string,
): readonly Deployment[] {
  const place = (id: string) => revisions.findIndex((revision) => revision.commit.id === id);
  const own = place(commit);
  if (own < 0) return [];
  return records.filter((record) => record.status === 'pending' && place(record.commit) > own);
}

/** @throws REVISION_UNKNOWN */
function requireRevision(
  scope: Scope,
  { commit, version }: RevisionRef,
): { readonly commit: string; readonly version: number } {
  if (version !== null) return { commit, version };
  throw new BacktrailError(
    'REVISION_UNKNOWN',
    `${formatCoordinates(scope)} has no revision at ${commit.slice(0, 10)}.`,
  );
}

function noTransition(before: Deployment | null, { scope, input: { status } }: Asked): BacktrailError {
  if (before === null)
    return new BacktrailError(
      'DEPLOYMENT_STATUS',
      `${formatCoordinates(scope)} has no record of this revision that could become ${status}.`,
    );
  const { id } = before;
  return new BacktrailError('DEPLOYMENT_STATUS', `${id} is ${before.status} and cannot become ${status}.`, {
    details: { id, status: before.status },
  });
}
