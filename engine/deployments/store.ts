/**
 * The events of deployments, as the commits of their ref added them. A file is an event; the first commit that writes it is the one that counts,
 * and whatever is done to it later is not looked at: so the past cannot be changed. What is not as Backtrail writes it is left out, and named.
 */
import {
  type Coordinates,
  type Deployment,
  type DeploymentEvent,
  type DeploymentId,
  isFailure,
  isObjectId,
  type ObjectId,
} from '../model/index.ts';
import { readDeploymentEvent } from '../record/deployment-file.ts';
import { foldDeployment } from '../record/deployment-transitions.ts';
import { latestOf, type LedgerCommit, readCommits } from '../requests/ledger/commits.ts';
import type { RequestContext } from '../requests/context.ts';
import { decode } from '../yaml/core/text.ts';
import * as z from 'zod';

type Git = RequestContext['git'];

/** What a record is known to be without its files. Whoever may push can have written any of it. */
export interface KnownDeployment extends Coordinates {
  readonly id: DeploymentId;
  readonly commit: ObjectId;
  readonly status: Deployment['status'];
  readonly images: readonly string[];
  readonly createdAt: string;
}

export interface StoredEvent {
  readonly event: DeploymentEvent;
  readonly commit: LedgerCommit;
}

/** A record with all of its events, oldest first. */
export interface StoredDeployment {
  readonly id: DeploymentId;
  readonly events: readonly StoredEvent[];
}

export interface DeploymentStore {
  readonly tip: ObjectId | null;
  /** The latest time that any of its commits claims, milliseconds since 1970. */
  readonly latest: number;
  /** Paths that are not as Backtrail writes them; the first of them only. */
  readonly problems: readonly string[];
  /** Those that `is` accepts, newest first; `text`: only where their line has it, which is quicker to see. */
  known(is?: (known: KnownDeployment) => boolean, text?: string): readonly KnownDeployment[];
  read(ids: readonly DeploymentId[]): Promise<readonly StoredDeployment[]>;
  /** Every commit, oldest first. */
  commits(): Promise<readonly LedgerCommit[]>;
}

/** For as long as a repository is open. */
export interface DeploymentCache {
  index: { readonly ref: string; readonly tip: ObjectId; readonly reading: Promise<Index> } | null;
  readonly events: Map<ObjectId, DeploymentEvent>;
}

export const createDeploymentCache = (): DeploymentCache => ({ index: null, events: new Map() });

interface Place {
  readonly git: Git;
  readonly ref: string;
  readonly cache: DeploymentCache;
}

/** The store at a commit of its ref; null: there is no such ref. */
export async function deploymentsAt(place: Place, tip: ObjectId | null): Promise<DeploymentStore> {
  if (tip === null) return EMPTY;
  const { git } = place;
  const index = await indexAt(place, tip);
  return {
    tip,
    latest: index.latest,
    problems: index.problems,
    known: (is = () => true, text = '') => {
      const found: { readonly key: string; readonly known: KnownDeployment }[] = [];
      for (const line of index.lines.values()) {
        if (text !== '' && !line.includes(text)) continue;
        const known = knownIn(line);
        if (is(known)) found.push({ key: `${known.createdAt} ${known.id}`, known });
      }
      return found.sort((one, other) => (one.key < other.key ? 1 : -1)).map(({ known }) => known);
    },
    read: async (ids) => {
      const found: StoredDeployment[] = [];
      for (let at = 0; at < ids.length; at += TOGETHER)
        found.push(
          ...(await Promise.all(ids.slice(at, at + TOGETHER).map((id) => readOne(place, index, id)))),
        );
      return found.filter(({ events }) => events.length > 0);
    },
    commits: () => readCommits(git, { tip, latest: 0 }),
  };
}

const EMPTY: DeploymentStore = {
  tip: null,
  latest: 0,
  problems: [],
  known: () => [],
  read: () => Promise.resolve([]),
  commits: () => Promise.resolve([]),
};

/** Files that are read side by side. */
const TOGETHER = 200;
/** Problems that are named. */
const NAMED = 10;
/** Events that are remembered. */
const CACHED = 20_000;
/** New events from which on the index is written again: fewer are looked at each time. */
const INDEX_STEP = 200;

/** Where an event is. */
interface EventRef {
  readonly id: string;
  readonly path: string;
  readonly blob: ObjectId;
  readonly commit: LedgerCommit;
}

/** A line a record: its id, what it is known to be, and where its events are. */
interface Index {
  readonly tip: ObjectId;
  readonly latest: number;
  readonly problems: readonly string[];
  readonly lines: ReadonlyMap<DeploymentId, string>;
}

function indexAt(place: Place, tip: ObjectId): Promise<Index> {
  const { cache, ref } = place;
  const before = cache.index?.ref === ref ? cache.index : null;
  if (before?.tip === tip) return before.reading;
  const reading = continueIndex(place, tip, before?.reading ?? null);
  const index = { ref, tip, reading };
  cache.index = index;
  reading.catch(() => {
    if (cache.index === index) cache.index = null;
  });
  return reading;
}

async function continueIndex(place: Place, tip: ObjectId, reading: Promise<Index> | null): Promise<Index> {
  const { git, ref } = place;
  const known =
    (await reading?.catch(() => null)) ?? parseIndex(await git.ledger.index.read(ref).catch(() => null));
  if (known?.tip === tip) return known;
  const isOnward = known !== null && (await git.isAncestor(known.tip, tip).catch(() => false));
  const before = known !== null && isOnward ? known : null;
  const commits = await readCommits(git, { tip, after: before?.tip, latest: before?.latest ?? 0 });
  const lines = new Map(before?.lines);
  const problems = new Set(before?.problems);
  const fresh = new Map<DeploymentId, { readonly refs: EventRef[]; readonly events: DeploymentEvent[] }>();
  const written = commits.flatMap((commit) => commit.files.map((file) => ({ ...file, commit })));
  for (let at = 0; at < written.length; at += TOGETHER) {
    const some = written.slice(at, at + TOGETHER);
    const events = await Promise.all(some.map(({ path, blob }) => readEvent(place, path, blob)));
    for (const [index, event] of events.entries()) {
      const { path = '', blob = null, commit } = some[index] ?? {};
      if (event === null || blob === null || commit === undefined) {
        problems.add(path);
        continue;
      }
      const id = event.deployment;
      const found = fresh.get(id) ?? (await eventsAt(place, refsOf(lines.get(id))));
      fresh.set(id, found);
      if (found.refs.some((ref) => ref.id === event.id)) problems.add(path);
      else {
        found.refs.push({ id: event.id, path, blob, commit });
        found.events.push(event);
      }
    }
  }
  for (const [id, { refs, events }] of fresh) {
    const state = foldDeployment(events);
    if (state === null) problems.add(refs[0]?.path ?? id);
    else lines.set(id, lineOf(state, refs));
  }
  const latest = Math.max(before?.latest ?? 0, latestOf(commits));
  const index = { tip, latest, problems: [...problems].slice(0, NAMED), lines };
  if (written.length >= INDEX_STEP)
    await git.ledger.index.write(ref, printIndex(index)).catch(() => undefined);
  return index;
}

async function readOne(place: Place, { lines }: Index, id: DeploymentId): Promise<StoredDeployment> {
  const { refs, events } = await eventsAt(place, refsOf(lines.get(id)));
  return { id, events: events.flatMap((event, at) => commitOf(event, refs[at])) };
}

const commitOf = (event: DeploymentEvent, ref: EventRef | undefined): StoredEvent[] =>
  ref === undefined ? [] : [{ event, commit: ref.commit }];

async function eventsAt(
  place: Place,
  all: readonly EventRef[],
): Promise<{ readonly refs: EventRef[]; readonly events: DeploymentEvent[] }> {
  const refs: EventRef[] = [];
  const events: DeploymentEvent[] = [];
  for (const ref of all) {
    const event = await readEvent(place, ref.path, ref.blob);
    if (event === null) continue;
    refs.push(ref);
    events.push(event);
  }
  return { refs, events };
}

/** null for what is not as Backtrail writes it. @throws LEDGER_NEWER */
async function readEvent(
  { git, cache }: Place,
  path: string,
  blob: ObjectId | null,
): Promise<DeploymentEvent | null> {
  if (blob === null) return null;
  const known = cache.events.get(blob);
  try {
    const event = known ?? readDeploymentEvent(decode(await git.objects.blob(blob)) ?? '', path);
    if (cache.events.size >= CACHED) cache.events.clear();
    cache.events.set(blob, event);
    // The same bytes in another place.
    return known === undefined || path.endsWith(`/${event.deployment}/${event.id}.json`) ? event : null;
  } catch (error) {
    if (isFailure(error) && (error.code === 'LEDGER_TAMPERED' || error.code === 'FILE_TOO_LARGE'))
      return null;
    throw error;
  }
}

/** Nothing but the names. */
export function coordinatesOf({ tenant, environment, service }: Coordinates): Coordinates {
  return { ...(tenant !== undefined && { tenant }), environment, ...(service !== undefined && { service }) };
}

/** What the line of a record of this environment has. */
export const textOf = ({ environment }: Pick<Coordinates, 'environment'>) =>
  `"environment":${JSON.stringify(environment)}`;

/** Changes whenever the lines do. */
const FORM = 1;
const HEAD = z.object({
  form: z.literal(FORM),
  tip: z.string().refine(isObjectId),
  latest: z.number(),
  problems: z.array(z.string()),
});

function printIndex({ tip, latest, problems, lines }: Index): string {
  return [JSON.stringify({ form: FORM, tip, latest, problems }), ...lines.values()].join('\n');
}

/** The file is this program's own, and checked as a whole; null for that of another version. */
function parseIndex(text: string | null): Index | null {
  if (text === null) return null;
  const [head = '', ...lines] = text.split('\n');
  try {
    const { data } = HEAD.safeParse(JSON.parse(head));
    if (data === undefined) return null;
    return { ...data, lines: new Map(lines.map((line) => [line.slice(0, line.indexOf('\t')), line])) };
  } catch {
    return null;
  }
}

type Written = [
  id: string,
  path: string,
  blob: ObjectId,
  commit: ObjectId,
  name: string,
  email: string,
  time: number,
  before: number,
];

/** JSON holds no tab. */
function lineOf(state: Deployment, refs: readonly EventRef[]): string {
  const { id, commit, status, images, createdAt } = state;
  const known: KnownDeployment = { id, ...coordinatesOf(state), commit, status, images, createdAt };
  const written = refs.map(
    ({ id, path, blob, commit: { id: by, author, time, before } }): Written => [
      id,
      path,
      blob,
      by,
      author.name,
      author.email,
      time,
      before,
    ],
  );
  return `${id}\t${JSON.stringify(known)}\t${JSON.stringify(written)}`;
}

function knownIn(line: string): KnownDeployment {
  const known: KnownDeployment = JSON.parse(line.slice(line.indexOf('\t') + 1, line.lastIndexOf('\t')));
  return known;
}

function refsOf(line: string | undefined): EventRef[] {
  if (line === undefined) return [];
  const written: readonly Written[] = JSON.parse(line.slice(line.lastIndexOf('\t') + 1));
  return written.map(([id, path, blob, by, name, email, time, before]) => ({
    id,
    path,
    blob,
    commit: { id: by, parents: [], author: { name, email }, time, before, form: 1, ...NOTHING_SAID },
  }));
}

/** What nobody asks of such a commit. */
const NOTHING_SAID = { files: [], subject: '', record: null, batch: null } as const;
