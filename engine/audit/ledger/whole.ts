/**
 * The ledger as a whole: one line, each commit an event in its own file, which shows what its events make and says what its message says. And what
 * it says of the branch: which commits executed its requests.
 */
import {
  type Arrival,
  type EventId,
  formatCoordinates,
  isRequestId,
  isSessionId,
  type ObjectId,
  type RequestEvent,
  type RequestId,
  type Scope,
  type SessionEvent,
} from '../../model/index.ts';
import { samePerson } from '../../policy/policy.ts';
import { foldSession } from '../../policy/session.ts';
import { type RequestFile, requestPath, type SessionFile, sessionPath } from '../../record/ledger-file.ts';
import { applyEvent } from '../../record/transitions.ts';
import { batchDisagreements, disagreements } from '../../requests/ledger/audit.ts';
import type { LedgerCommit, Version } from '../../requests/ledger/commits.ts';
import {
  eventsMessage,
  formerSubject,
  requestMessage,
  type Said,
  sessionMessage,
} from '../../requests/ledger/messages.ts';
import { proveSession } from '../../requests/ledger/proof.ts';
import { textOf } from '../../requests/ledger/snapshot.ts';
import { otherLine } from '../line/reader.ts';
import { failureOf } from '../failures.ts';
import type { AuditReader } from '../line/reader.ts';
import { problem } from '../problems.ts';
import type { LedgerProblem } from '../types.ts';
import { type Holders, misused, unexplained } from './authenticated.ts';
import type { LedgerAudit } from './ledger.ts';

/** What the ledger says that became of a request. */
export interface Completed {
  readonly requestId: RequestId;
  readonly commit: ObjectId;
  readonly deliveryCommit: ObjectId | null;
  readonly how: 'push' | Arrival;
  readonly scope: Scope;
  readonly isResume: boolean;
}

export interface LedgerFacts {
  readonly problems: readonly LedgerProblem[];
  readonly completed: readonly Completed[];
}

/** Requests whose signatures are looked at together. */
const TOGETHER = 200;

type Progress = (done: number, of: number) => void;

/** Only what pull requests brought: enough for a part of the line. All of a ledger with a file in it that cannot be read, to say which. */
export async function readArrivals(
  ledger: LedgerAudit,
  reader: AuditReader,
  onProgress: Progress,
): Promise<LedgerFacts> {
  if (ledger.tip === null) return { problems: [], completed: [] };
  try {
    const files = await ledger.snapshot.containing('"arrived":');
    return { problems: [], completed: files.flatMap((file) => completedIn(file) ?? []) };
  } catch (error) {
    failureOf(error);
    return readWhole(ledger, reader, onProgress);
  }
}

export async function readWhole(
  ledger: LedgerAudit,
  reader: AuditReader,
  onProgress: Progress,
): Promise<LedgerFacts> {
  const problems: LedgerProblem[] = [];
  const completed: Completed[] = [];
  if (ledger.tip === null) return { problems, completed };
  const commits = await ledger.snapshot.commits().catch((error: unknown) => {
    problems.push(failureOf(error));
    return null;
  });
  if (commits === null) return { problems, completed };
  await requireLine(reader, ledger.tip, commits);
  const ids = new Set<string>();
  for (const commit of commits) {
    const strange = commit.files.find(({ path }) => idAt(path) === null);
    if (commit.files.length === 0 || strange !== undefined)
      problems.push({
        ...problem(
          'EVENT_MALFORMED',
          `The commit ${commit.id.slice(0, 10)} of the ledger ${strange === undefined ? 'adds no event' : 'changes what is no file of it'}.`,
        ),
        commit: commit.id,
      });
    for (const { path } of commit.files) {
      const id = idAt(path);
      if (id !== null) ids.add(id);
    }
  }
  const judging = { problems, said: createSaid(problems), holders: new Map() };
  const all = [...ids];
  for (let from = 0; from < all.length; from += TOGETHER) {
    const some = all.slice(from, from + TOGETHER);
    await ledger.expect(some.filter((id) => isRequestId(id)));
    for (const id of some)
      if (isSessionId(id)) await judgeSession(ledger, id, judging);
      else {
        const file = await judgeRequest(ledger, id, judging);
        const done = file && completedIn(file);
        if (done) completed.push(done);
      }
    onProgress(from + some.length, all.length);
  }
  judging.said.end();
  for (const [key, signature] of ledger.context.cache.signatures) {
    if ((await signature)?.state !== 'bad') continue;
    const [commit = ''] = key.split(' ');
    const message = `The signature of the ledger's commit ${commit.slice(0, 10)} does not fit it, or its key was revoked.`;
    problems.push({ ...problem('SIGNATURE_BAD', message), commit });
  }
  return { problems, completed };
}

/** A commit-graph may name other parents than the commits themselves. */
async function requireLine(
  reader: AuditReader,
  tip: ObjectId,
  commits: readonly LedgerCommit[],
): Promise<void> {
  let at = commits.length - 1;
  for await (const some of reader.walk(tip))
    for (const { id } of some) {
      if (commits[at]?.id !== id) throw otherLine(id);
      at -= 1;
    }
}

/** The request or session whose file this is; null for any other path. */
export function idAt(path: string): string | null {
  const id = /([^/]+)\.json$/.exec(path)?.[1] ?? '';
  const own = isRequestId(id) ? requestPath(id) : isSessionId(id) ? sessionPath(id) : null;
  return own === path ? id : null;
}

export function completedIn({ state }: RequestFile): Completed | null {
  const { id: requestId, result, scope, resume } = state;
  if (result?.status !== 'completed' || result.commit === null) return null;
  const { commit, deliveryCommit, arrived } = result;
  return { requestId, commit, deliveryCommit, how: arrived?.how ?? 'push', scope, isResume: resume === true };
}

interface Judging {
  readonly problems: LedgerProblem[];
  readonly said: SaidOnce;
  /** Whose tokens events name. */
  readonly holders: Holders;
}

async function judgeRequest(
  ledger: LedgerAudit,
  id: RequestId,
  { problems, said, holders }: Judging,
): Promise<RequestFile | null> {
  const known = await ledger.request(id);
  if (known === null || known.problem !== null) {
    const gone = problem('EVENT_MALFORMED', `The file of request ${id} was removed from the ledger.`);
    problems.push({ ...(known === null ? gone : known.problem), requestId: id });
    return null;
  }
  const { file, proofs } = known;
  const served = [...unexplained(file, proofs), ...misused(file, proofs, holders)];
  problems.push(...served.map((found) => ({ ...found, requestId: id })));
  const path = requestPath(id);
  const versions = await ledger.snapshot.versions(path);
  let state: RequestFile['state'] | null = null;
  for (const [index, event] of file.events.entries()) {
    state = applyEvent(state, event);
    const scope = formatCoordinates(state.scope);
    const message = requestMessage(event, state, scope);
    const formerly = formerSubject(event, state, scope);
    said.add(versions[index], { event, of: id, message, formerly }, path);
  }
  await judgeShown(ledger, { path, versions, state: file.state, requestId: id }, problems);
  return file;
}

async function judgeSession(
  ledger: LedgerAudit,
  id: string,
  { problems, said, holders }: Judging,
): Promise<void> {
  const { context, snapshot } = ledger;
  try {
    const file: SessionFile | null = await snapshot.session(id);
    if (file === null) {
      problems.push(problem('EVENT_MALFORMED', `The file of session ${id} was removed from the ledger.`));
      return;
    }
    const proofs = await proveSession(context, snapshot, file);
    problems.push(...unexplained(file, proofs), ...misused(file, proofs, holders));
    const path = sessionPath(id);
    const versions = await snapshot.versions(path);
    for (const [index, event] of file.events.entries()) {
      const message = sessionMessage(event, foldSession(file.events.slice(0, index + 1)));
      said.add(versions[index], { event, of: id, message }, path);
    }
    await judgeShown(ledger, { path, versions, state: file.state }, problems);
  } catch (error) {
    problems.push(failureOf(error));
  }
}

interface Shown {
  readonly path: string;
  readonly versions: readonly Version[];
  readonly state: object;
  readonly requestId?: RequestId;
}

/** What people read in the file: versions before this one may have shown less of it. */
async function judgeShown(
  { context }: LedgerAudit,
  { path, versions, state, requestId }: Shown,
  problems: LedgerProblem[],
): Promise<void> {
  const last = versions.at(-1);
  if (last === undefined || last.blob === null) return;
  const { state: shown }: { state?: unknown } = JSON.parse(await textOf(context.git, path, last.blob));
  const stored = new Map<string, unknown>(Object.entries(Object(shown)));
  const isEmpty = (value: unknown) => value === null || (Array.isArray(value) && value.length === 0);
  const made = new Map<string, unknown>(Object.entries(state));
  const key = [...new Set([...stored.keys(), ...made.keys()])].find((name) =>
    stored.has(name)
      ? isDeep(stored.get(name)) || plain(stored.get(name)) !== plain(made.get(name))
      : made.get(name) !== undefined && !isEmpty(made.get(name)),
  );
  if (key === undefined) return;
  problems.push({
    ...problem('STATE_DIFFERS', `The ledger's file ${path} shows another ${key} than its events make.`),
    commit: last.commit.id,
    ...(requestId !== undefined && { requestId }),
  });
}

/** Deeper than any state, and than a stack may be. */
function isDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) return true;
    level = level.flatMap((part) => (typeof part === 'object' && part !== null ? Object.values(part) : []));
  }
  return false;
}
const DEEPEST = 100;

/** Whatever the order of the keys is. */
const plain = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );

interface SaidOnce {
  add(version: Version | undefined, said: Said, path: string): void;
  end(): void;
}

/** Holds what commits say against what their events are; those of several events when all of them are known. */
function createSaid(problems: LedgerProblem[]): SaidOnce {
  const events = new Set<EventId>();
  const waiting = new Map<ObjectId, { commit: LedgerCommit; said: { path: string; said: Said }[] }>();
  const differs = (commit: LedgerCommit, sentence: string, requestId?: string) =>
    problems.push({
      ...problem(
        'EVENT_DIFFERS',
        `${sentence.replace(/\.$/, '')} (${commit.id.slice(0, 10)} of the ledger).`,
      ),
      commit: commit.id,
      ...(requestId !== undefined && { requestId }),
    });
  const judge = (commit: LedgerCommit, said: { path: string; said: Said }[]) => {
    const inOrder = said.toSorted((one, other) => (one.path < other.path ? -1 : 1)).map((one) => one.said);
    for (const sentence of batchDisagreements(commit, eventsMessage(inOrder))) differs(commit, sentence);
  };
  return {
    add(version, one, path) {
      if (version === undefined) return;
      const { commit } = version;
      const { event, of, message, formerly } = one;
      if (events.has(event.id)) differs(commit, `The event ${event.id} is there twice`, of);
      events.add(event.id);
      if (!isBy(commit, event)) differs(commit, 'The author of the commit is not who acted in the event', of);
      if (commit.form === 1) {
        for (const sentence of disagreements(commit, message, formerly)) differs(commit, sentence, of);
        return;
      }
      const known = waiting.get(commit.id) ?? { commit, said: [] };
      known.said.push({ path, said: one });
      waiting.set(commit.id, known);
      if (known.said.length < commit.files.length) return;
      waiting.delete(commit.id);
      judge(commit, known.said);
    },
    end() {
      for (const { commit, said } of waiting.values()) judge(commit, said);
    },
  };
}

const isBy = ({ author }: LedgerCommit, { actor }: RequestEvent | SessionEvent) =>
  samePerson(author.email, actor.email);
