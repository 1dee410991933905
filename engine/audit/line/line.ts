/** One pass over the first-parent line: which commits are ours, or look like ours. */
import type { ObjectId, RequestId } from '../../model/index.ts';
import { readCommit } from './commit-text.ts';
import type { AuditReader } from './reader.ts';
import { type Kind, kindOf, requestsNamed, rulesNamed } from './records.ts';

/** What a commit of the line is to an audit. What it says is read again when it is judged: memory does not grow with what messages hold. */
export interface Mark {
  readonly id: ObjectId;
  /** Its place on the line; 0 is the tip. */
  readonly at: number;
  readonly kind: Kind;
  /** That it names. */
  readonly requests: readonly RequestId[];
}

export interface AuditLine {
  /** Newest first. */
  readonly ids: readonly ObjectId[];
  /** Of each its tree. */
  readonly trees: readonly ObjectId[];
  /** Of each when it says that it was committed: seconds since 1970, -1 where it does not say. */
  readonly times: readonly number[];
  readonly places: ReadonlyMap<ObjectId, number>;
  readonly marks: ReadonlyMap<ObjectId, Mark>;
  /** By request its oldest commit. */
  readonly oldest: ReadonlyMap<RequestId, ObjectId>;
  /** The commits that a message says it reverts. */
  readonly reverts: ReadonlyMap<ObjectId, readonly ObjectId[]>;
  /** By the number of rules in `Rollback-Engine` the place of the oldest commit that names them. */
  readonly rules: ReadonlyMap<number, number>;
  /** A commit of ours placed or lifted a hold. */
  readonly hasHolds: boolean;
}

/** A cheap look at the bytes; the parsed message decides. */
const OURS =
  /^(?:rollback|resume|delivery)-[a-z-]+[ \t]*:|^This reverts commit |→ revision [0-9a-f]{7}$|^Resume: /im;

export async function readLine(reader: AuditReader, tip: ObjectId): Promise<AuditLine> {
  const ids: ObjectId[] = [];
  const trees: ObjectId[] = [];
  const times: number[] = [];
  const marks = new Map<ObjectId, Mark>();
  const oldest = new Map<RequestId, ObjectId>();
  const reverts = new Map<ObjectId, readonly ObjectId[]>();
  const rules = new Map<number, number>();
  let hasHolds = false;
  for await (const commits of reader.walk(tip))
    for (const { id, bytes } of commits) {
      const at = ids.push(id) - 1;
      trees.push(treeOf(bytes));
      const text = bytes.toString('utf8');
      times.push(timeIn(text));
      if (!OURS.test(text)) continue;
      const commit = readCommit(id, bytes);
      const kind = kindOf(commit);
      if (kind === null) continue;
      const requests = requestsNamed(commit.trailers);
      marks.set(id, { id, at, kind, requests });
      hasHolds ||= commit.trailers.some((trailer) => /^(?:rollback|resume)-hold:/i.test(trailer));
      for (const requestId of requests) oldest.set(requestId, id);
      for (const number of rulesNamed(commit.trailers)) rules.set(number, at);
      if (commit.reverts.length > 0) reverts.set(id, commit.reverts);
    }
  const places = new Map(ids.map((id, at) => [id, at]));
  return { ids, trees, times, places, marks, oldest, reverts, rules, hasHolds };
}

/** The newest rules that a commit before this one names; 0: none does. */
export const rulesBefore = ({ rules, places }: Pick<AuditLine, 'rules' | 'places'>, id: ObjectId): number =>
  Math.max(0, ...[...rules].filter(([, at]) => at > (places.get(id) ?? 0)).map(([number]) => number));

/** The first line of a commit: `tree <id>`. */
const treeOf = (bytes: Buffer): ObjectId => bytes.toString('latin1', 'tree '.length, bytes.indexOf(10));

/** The header comes before all that a message could imitate. */
const timeIn = (text: string) => Number(/^committer .*> (\d{1,15}) /m.exec(text)?.[1] ?? -1);
