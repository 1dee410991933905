/**
 * What the requests of a large ledger are, as text for a file in the cache folder: so that whoever looks for a few of them need not read all.
 * It only says where to look: files are read from the ledger, and signatures looked at, as ever. Whatever is wrong with it makes it useless,
 * never an error; an audit does not use it.
 */
import * as z from 'zod';
import {
  isObjectId,
  type LedgerRequest,
  type ObjectId,
  type RequestId,
  type RequestStatus,
} from '../../model/index.ts';
import { requestPath, type RequestFile } from '../../record/ledger-file.ts';
import type { LedgerCommit, Version } from './commits.ts';

/** What a request is known to be without its file. */
export interface KnownRequest {
  readonly id: RequestId;
  readonly status: RequestStatus;
  readonly scope: LedgerRequest['scope'];
  /** It went ahead without approval. */
  readonly isBreakGlass: boolean;
  /** Absent where no incident file asked for it. */
  readonly incident?: string;
  readonly openedAt: string;
}

export function knownOf({ state, events }: RequestFile): KnownRequest {
  const { id, status, scope, breakGlass, incident } = state;
  const known = { id, status, scope, isBreakGlass: breakGlass !== null, openedAt: events[0]?.at ?? '' };
  return incident === undefined ? known : { ...known, incident };
}

/** The order of lists. Ids that were derived say nothing of the time. */
export function newestKnownFirst(one: KnownRequest, other: KnownRequest): number {
  return `${one.openedAt} ${one.id}` < `${other.openedAt} ${other.id}` ? 1 : -1;
}

export interface LedgerIndex {
  readonly tip: ObjectId;
  /** The latest time that any of its commits claims. */
  readonly latest: number;
  /** A line for each request, by its path. */
  readonly lines: ReadonlyMap<string, string>;
}

/** Changes whenever the lines do. */
const FORM = 2;

type Written = [
  commit: ObjectId,
  name: string,
  email: string,
  time: number,
  form: number,
  before: number,
  blob: ObjectId | null,
  event: string,
  id: string,
];

export function lineOf(known: KnownRequest, versions: readonly Version[]): string {
  const written = versions.map(
    ({ commit: { id, author, time, form, before }, blob, added }): Written => [
      id,
      author.name,
      author.email,
      time,
      form,
      before,
      blob,
      added?.event ?? '',
      added?.id ?? '',
    ],
  );
  return `${JSON.stringify(known)}\t${JSON.stringify(written)}`;
}

/** Lines are this program's own: the file is checked as a whole, and of one version. JSON holds no tab. */
export function knownIn(line: string): KnownRequest {
  const known: KnownRequest = JSON.parse(line.slice(0, line.indexOf('\t')));
  return known;
}

export function versionsIn(line: string): readonly Version[] {
  const written: readonly Written[] = JSON.parse(line.slice(line.indexOf('\t') + 1));
  return written.map(([id, name, email, time, form, before, blob, event, eventId]): Version => {
    const commit: LedgerCommit = {
      id,
      parents: [],
      author: { name, email },
      time,
      before,
      form,
      ...NOTHING_SAID,
    };
    return { commit, blob, added: eventId === '' ? null : { event, id: eventId } };
  });
}

/** What a proof does not ask for. */
const NOTHING_SAID = { files: [], subject: '', record: null, batch: null } as const;

export function printIndex({ tip, latest, lines }: LedgerIndex): string {
  return [JSON.stringify({ form: FORM, tip, latest }), ...lines.values()].join('\n');
}

/** null for the text of another version. */
export function parseIndex(text: string): LedgerIndex | null {
  const [head = '', ...lines] = text.split('\n');
  const { data } = HEAD.safeParse(JSON.parse(head));
  if (data === undefined) return null;
  return { ...data, lines: new Map(lines.map((line) => [pathIn(line), line])) };
}

const HEAD = z.object({ form: z.literal(FORM), tip: z.string().refine(isObjectId), latest: z.number() });

const pathIn = (line: string) => requestPath(/"id":"([^"]+)"/.exec(line)?.[1] ?? '');
