/** Step 2: writes the revert commit as objects under a staging ref. No branch moves. */
import {
  BacktrailError,
  type FileChange,
  type Hasher,
  MODE,
  type ObjectId,
  type Person,
  type RollbackRequest,
  type Scope,
} from '../model/index.ts';
import { identity } from '../git/store/identity.ts';
import type { GitRepository } from '../git/open.ts';
import { holdOf, holdPath, printHold } from '../holds/hold-file.ts';
import { recordField } from '../layout/layout.ts';
import { type Message, resumeMessage, rollbackMessage } from '../record/message.ts';
import type { MessageStyle } from '../record/style.ts';
import type { ResumeRecord, RollbackRecord } from '../record/trailers.ts';
import type { Planned } from './planning/planned.ts';
import type { ExpectedCommit } from './written.ts';

export interface StageInput {
  readonly git: Pick<GitRepository, 'writeCommits'>;
  readonly request: RollbackRequest;
  /** The committer: the service's own identity. */
  readonly committer: Person;
}

export interface Staged extends Planned {
  readonly commit: ObjectId;
  readonly record: RollbackRecord;
  /** Read back with the manifests' commit. */
  readonly written: ExpectedCommit;
}

/** The target, abbreviated for display; '' for a resume, which returns to no revision: its target is where the branch was. */
export const shortTarget = ({ target, resume }: RollbackRequest) => (resume ? '' : target.slice(0, 7));

export async function stage({ git, request, committer }: StageInput, planned: Planned): Promise<Staged> {
  const { plan, snapshot } = planned;
  const { record, message } = recorded({ request, committer }, planned);
  const hold = holdFileOf(plan, request, snapshot.hasher);
  const [commit] = await git.writeCommits({
    requestId: request.id,
    commits: [
      {
        parent: plan.base,
        author: request.author,
        committer,
        time: request.requestedAt,
        message: message.text,
        writes: [...plan.writes, ...(hold ? [{ path: hold.path, after: hold.after }] : [])],
        sign: signOf(request, planned),
      },
    ],
  });
  if (commit === undefined) throw new BacktrailError('GIT_FAILED', 'Git wrote no commit.');
  const written = {
    commit,
    parent: plan.base,
    trailers: message.trailers,
    message: message.text,
    files: [...plan.files, ...(hold ? [hold] : [])],
  };
  return { ...planned, commit, record, written };
}

/** What the commit says of itself. */
export function recorded(
  { request, committer }: Pick<StageInput, 'request' | 'committer'>,
  planned: Planned,
): { readonly record: RollbackRecord; readonly message: Message } {
  const record = recordOf(request, planned);
  const style = messageStyle(planned, [request.author, committer]);
  const { subject } = planned.snapshot.layout.config;
  const resumed = resumeOf(request, planned, record);
  const message =
    resumed === null
      ? rollbackMessage({ record, subject, shortTarget: shortTarget(request), style })
      : resumeMessage({ record: resumed, rollback: record, shortTarget: shortTarget(request), style });
  return { record, message };
}

/** Whether its commits are signed; undefined: where the repository was opened to sign all. */
export function signOf(
  { sign }: Pick<RollbackRequest, 'sign'>,
  { snapshot }: Pick<Planned, 'snapshot'>,
): true | undefined {
  return sign === true || snapshot.layout.config.commit.sign ? true : undefined;
}

/** What of a plan its commit says. */
interface Described {
  readonly snapshot: { readonly layout: Planned['snapshot']['layout'] };
}

/** `people` made the commit, its author first: each of them signs it off, under the name that the commit has. */
export function messageStyle({ snapshot }: Described, people: readonly Person[]): MessageStyle {
  const { subject, trailers, signoff } = snapshot.layout.config.commit;
  return { subject, trailers, signers: signoff ? people.map(identity) : [] };
}

export function recordOf(
  request: RollbackRequest,
  {
    plan,
    snapshot,
  }: Described & {
    readonly plan: Pick<
      Planned['plan'],
      'base' | 'digest' | 'engine' | 'findings' | 'holds' | 'overrides' | 'wholeFiles'
    >;
  },
): RollbackRecord {
  const { mode, tenant, environment, service } = request.scope;
  const fields = recordedFields(request.scope, plan.wholeFiles);
  const breakGlass = request.provenance?.breakGlass;
  const removal = plan.findings.some(({ code }) => code === 'REMOVAL_ALLOWED') ? ['allow-removal'] : [];
  const overrides = [...removal, ...new Set([...plan.overrides, ...(request.overrides ?? [])])].sort();
  return {
    mode,
    ...(tenant !== undefined && { tenant }),
    environment,
    ...(service !== undefined && { service }),
    justification: request.reason,
    author: request.author.email,
    approvals: request.provenance?.approvals ?? [],
    requestId: request.id,
    target: request.target,
    base: plan.base,
    plan: plan.digest,
    engine: plan.engine,
    fields: fields.map((field) => recordField(snapshot.layout, request.scope, field)),
    ...(overrides.length > 0 && { overrides }),
    ...(breakGlass && { breakGlass }),
    ...(request.provenance && { ledger: request.provenance.ledger }),
    ...(plan.holds?.placed && { holds: [holdPath(request.scope, request.id)] }),
  };
}

/** null for a rollback. */
export function resumeOf(
  { id }: Pick<RollbackRequest, 'id'>,
  { plan }: { readonly plan: Pick<Planned['plan'], 'digest' | 'resumes'> },
  record: RollbackRecord,
): ResumeRecord | null {
  if (plan.resumes === undefined) return null;
  const { justification, author, approvals, ledger } = record;
  return {
    justification,
    author,
    approvals,
    requestId: id,
    holds: plan.resumes,
    plan: plan.digest,
    ...(ledger !== undefined && { ledger }),
  };
}

/** The file of the hold that this request places: the plan says what is held, the request since when, and why. */
export function holdFileOf(
  { holds }: Pick<Planned['plan'], 'holds'>,
  {
    id,
    reason,
    author,
    requestedAt: since,
  }: Pick<RollbackRequest, 'id' | 'reason' | 'author' | 'requestedAt'>,
  hasher: Hasher,
): FileChange | null {
  if (!holds?.placed) return null;
  const hold = holdOf(holds.placed, { id, since, reason, author });
  const content = new TextEncoder().encode(printHold(hold));
  return { path: hold.path, before: null, after: { mode: MODE.file, id: hasher.blobId(content), content } };
}

/** A file restored as a whole is recorded by its path alone. */
function recordedFields({ fields = [] }: Scope, wholeFiles: readonly string[]): string[] {
  const parts = fields.filter((field) => !wholeFiles.some((path) => field.startsWith(`${path}#`)));
  return [...parts, ...wholeFiles].sort();
}
