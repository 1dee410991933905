/** Step 2: the revert commit, as objects under a staging ref of ours. Nothing that anybody looks at moves. */
import {
  BacktrailError,
  type ObjectId,
  type Person,
  type RollbackRequest,
  type Scope,
} from '../model/index.ts';
import type { GitRepository } from '../git/open.ts';
import { recordField } from '../plan/layout.ts';
import { rollbackMessage } from '../record/message.ts';
import { type RollbackRecord, rollbackTrailers } from '../record/trailers.ts';
import type { Planned } from './plan.ts';
import { requireWritten } from './written.ts';

export interface StageInput {
  readonly git: GitRepository;
  readonly request: RollbackRequest;
  /** The identity that writes commits: the service's own. */
  readonly committer: Person;
}

export interface Staged extends Planned {
  readonly commit: ObjectId;
}

export async function stage({ git, request, committer }: StageInput, planned: Planned): Promise<Staged> {
  const { plan, snapshot } = planned;
  const record = recordOf(request, planned);
  const message = rollbackMessage({
    record,
    subject: snapshot.layout.config.subject,
    shortTarget: request.target.slice(0, 7),
  });
  const [commit] = await git.writeCommits({
    requestId: request.id,
    commits: [
      {
        parent: plan.base,
        author: request.author,
        committer,
        time: request.requestedAt,
        message,
        writes: plan.writes,
      },
    ],
  });
  if (commit === undefined) throw new BacktrailError('GIT_FAILED', 'Git wrote no commit.');
  await requireWritten(git, {
    commit,
    parent: plan.base,
    trailers: rollbackTrailers(record),
    files: plan.files,
  });
  return { ...planned, commit };
}

function recordOf(request: RollbackRequest, { plan, snapshot }: Planned): RollbackRecord {
  const { mode, tenant, environment, service } = request.scope;
  const fields = recordedFields(request.scope, plan.wholeFiles);
  const breakGlass = request.provenance?.breakGlass;
  const overrides = plan.findings.some(({ code }) => code === 'REMOVAL_ALLOWED') ? ['allow-removal'] : [];
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
  };
}

/** What a file restored as a whole stands for is its path alone. */
function recordedFields({ fields = [] }: Scope, wholeFiles: readonly string[]): string[] {
  const parts = fields.filter((field) => !wholeFiles.some((path) => field.startsWith(`${path}#`)));
  return [...parts, ...wholeFiles].sort();
}
