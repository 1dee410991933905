/** Which events follow from what was observed, by what the records say already. */
import type {
  AutomaticNote,
  Coordinates,
  Deployment,
  DeploymentEvent,
  DeploymentId,
  ObjectId,
} from '../model/index.ts';
import { NOTE_LIMIT } from '../record/deployment-file.ts';
import { mayFollow } from '../record/deployment-transitions.ts';
import type { DeployedContent } from './content.ts';
import { coordinatesOf } from './store.ts';

/** The revision of a scope became live, or failed. */
export interface ObservedStatus extends Coordinates {
  readonly commit: ObjectId;
  readonly version: number | null;
  readonly status: 'deployed' | 'failed';
  /** What was seen, one sentence. */
  readonly note: string | null;
  readonly automatic?: AutomaticNote;
}

/** Records of a revision that observers open: one, and one more where it recovered. What flaps writes no third. */
const MOST_OF_REVISION = 2;

export type UnstampedEvent = Omit<DeploymentEvent, 'id' | 'at' | 'actor' | 'authenticated'>;

interface Deciding {
  readonly of: ObservedStatus;
  /** Of the scope, newest first. */
  readonly records: readonly Deployment[];
  readonly content: DeployedContent;
  /** Of commits on the line; 0 is the tip. */
  readonly positions: ReadonlyMap<ObjectId, number>;
  readonly makeId: () => DeploymentId;
}

/** [] where the records say so already; `ended` where they say what nothing follows. */
export function nextEvents({
  of,
  records,
  content,
  positions,
  makeId,
}: Deciding): readonly UnstampedEvent[] | 'ended' {
  if (content.secret !== null) return [];
  const { status, commit, version, automatic } = of;
  const own = records.filter((record) => record.commit === commit);
  const [newest] = own;
  if (newest?.status === status) return [];
  const said = {
    status,
    note: of.note === null ? null : of.note.slice(0, NOTE_LIMIT),
    migration: null,
    images: [],
    by: null,
    ...(automatic && { automatic }),
  };
  const next = own.find((record) => mayFollow(record.status, status));
  const mayOpen = next === undefined && own.every((record) => REOPENED.has(record.status));
  if (next === undefined && !(mayOpen && own.length < MOST_OF_REVISION)) return 'ended';
  const id = next?.id ?? makeId();
  const event: UnstampedEvent =
    next !== undefined
      ? { ...said, deployment: id, source: 'observer', opening: null }
      : { ...said, deployment: id, opening: openingOf({ of, content, from: newest ?? null }, version) };
  const place = positions.get(commit);
  const older =
    status === 'deployed' && place !== undefined
      ? records.filter(
          (record) => record.status === 'pending' && (positions.get(record.commit) ?? -1) > place,
        )
      : [];
  const superseded = older.map(
    (record): UnstampedEvent => ({ ...NOTHING_SAID, deployment: record.id, status: 'superseded', by: id }),
  );
  return [event, ...superseded];
}

/** After these, the same revision may have another record. */
const REOPENED: ReadonlySet<Deployment['status']> = new Set(['failed', 'proposed']);

const NOTHING_SAID = { opening: null, note: null, migration: null, images: [] } as const;

/** What recovered is what it was before: a rollback stays one. */
function openingOf(
  {
    of,
    content,
    from,
  }: { readonly of: ObservedStatus; readonly content: DeployedContent; readonly from: Deployment | null },
  version: number | null,
): NonNullable<DeploymentEvent['opening']> {
  return {
    ...coordinatesOf(of),
    commit: of.commit,
    version,
    images: content.images,
    charts: content.charts,
    source: 'observer',
    rollback: from?.rollback ?? null,
  };
}
