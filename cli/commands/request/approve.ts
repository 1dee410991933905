/** `request approve`: one more vote, and the execution where it was the last one needed. */
import type { Command } from 'commander';
import {
  BacktrailError,
  type Engine,
  FAILURES,
  type Finding,
  type Person,
  type RequestView,
  recordable,
  findRequestId,
  awaitedBy,
} from '../../../engine/index.ts';
import { executionFailed } from '../../../workers/handover/execution-failed.ts';
import { type ExecuteHow, executeOrLeave, progressPrinter } from '../../execute-request.ts';
import type { Output } from '../../terminal/output.ts';
import { resultText } from '../../print/plan.ts';
import { isLeft } from '../../propose.ts';
import { approvalText } from '../../print/approval.ts';
import { type Context, ID, type Program, runCommand, SIGN } from '../command.ts';
import { confirmOn, requireConfirmable } from './confirm.ts';
import { AUTHOR, INCIDENT, type Named, requireNamed } from './named.ts';
import { reviewIncident } from './review-incident.ts';

interface ApproveOptions extends ExecuteHow {
  readonly comment?: string;
  readonly yes?: boolean;
  readonly sign?: boolean;
  /** Of the plan that was looked at. */
  readonly digest?: string;
  /** Of its manifests. */
  readonly rendered?: string;
}

export function addApprove(program: Program, group: Command): void {
  group
    .command('approve')
    .description('approve it; it is executed once it has enough approvals')
    .argument('[id]', ID)
    .option('--incident <id>', INCIDENT)
    .option('--author <email>', AUTHOR)
    .option('--comment <text>', 'becomes part of the record')
    .option('--yes', 'do not ask')
    .option(
      '--digest <digest>',
      'of the plan that was looked at, as `request plan` gives it: do not ask, and approve only that',
    )
    .option(
      '--rendered <digest>',
      'with --digest: of its manifests, `rendered` of the same: approve only these',
    )
    .option('--here', 'execute it in this process instead of a worker')
    .option('--sign', `with --here: ${SIGN}`)
    .option('--no-wait', 'leave it to a worker, and do not follow it')
    .addHelpText('after', HELP)
    .action((typed: string | undefined, { incident, author, ...options }: ApproveOptions & Named) =>
      runCommand(
        program,
        (context) => {
          const named = requireNamed(typed, { incident, author });
          requireDigests(options, named);
          if ('incident' in named) return reviewIncident(context, 'approved', { ...options, ...named });
          return approve(context, named.typed, options);
        },
        options,
      ),
    );
}

const HELP = `
It is signed with your SSH key where git knows it: git config --global gpg.format ssh; git config --global user.signingKey FILE
A vote counts for the plan that was shown: where the plan changes before execution, approval is requested again.

Examples:
  backtrail request approve 7Q2M9K
  backtrail request approve 7Q2M9K --yes --here --comment "v2.0.5 served well for a week"
  backtrail request approve 7Q2M9K --digest sha256:… -o json
  backtrail request approve --incident inc-2026-11-20      # one table, one question, one signed commit of all votes`;

/** @throws INVALID_REQUEST for what is no digest, or is that of one plan where many are meant */
function requireDigests({ digest, rendered }: ApproveOptions, named: object): void {
  if (rendered !== undefined && digest === undefined)
    throw new BacktrailError('INVALID_REQUEST', '--rendered needs the --digest of the plan.');
  if (digest === undefined) return;
  if ('incident' in named)
    throw new BacktrailError('INVALID_REQUEST', '--digest names one plan, and --incident many requests.');
  const given = { digest, ...(rendered !== undefined && { rendered }) };
  for (const [name, value] of Object.entries(given))
    if (!/^sha256:[0-9a-f]{64}$/.test(value))
      throw new BacktrailError('INVALID_REQUEST', `--${name} is no digest: sha256: and 64 digits.`, {
        hint: `The \`${name}\` of \`backtrail request plan ID -o json\`.`,
      });
}

function approve(context: Context, typed: string, options: ApproveOptions): Promise<Output> {
  const { session } = context;
  const { comment, digest: given } = options;
  const yes = options.yes === true || given !== undefined;
  const asks = requireConfirmable(session, { yes }, 'approval');
  return session.withEngine(async (engine) => {
    const actor = await session.author(engine);
    const on = { id: await findRequestId(engine, actor, typed), actor };
    const seen = await confirmOn(context, engine, on, {
      statuses: ['pending'],
      act: 'approve',
      question: asks ? 'Approve this?' : null,
    });
    const digest = given ?? seen.digest;
    const rendered = given === undefined ? seen.rendered : (options.rendered ?? null);
    const request = await engine.requests.approve({
      ...on,
      ...(comment !== undefined && { comment: recordable(comment) }),
      ...(digest !== null && { digest }),
      ...(rendered !== null && { rendered }),
    });
    if (request.status === 'pending') return awaiting(context, request, actor);
    const awaited = await awaitedBy(engine, actor, request);
    if (awaited > 0) return waiting(context, request, awaited);
    progressPrinter(session)(`  ✓ approved (${request.approval.have} of ${request.approval.need})`);
    return executedOutput(context, engine, request, { ...options, reported: seen.findings }).catch(
      (error: unknown) => {
        throw executionFailed(request, error);
      },
    );
  });
}

function awaiting({ style }: Context, request: RequestView, actor: Person): Output {
  const { id, approval, digest, reviews } = request;
  const own = reviews.findLast((review) => review.actor.email === actor.email && review.digest === digest);
  const lines = [
    `${style.paint(['yellow', 'bold'], 'pending')} ${style.paint('reset', `request ${id} has ${approvalText(approval)}`)}`,
    ...(own?.counts === false
      ? [
          style.paint(
            'yellow',
            `  Yours does not count: no key that is trusted here vouches for ${actor.email}.`,
          ),
          style.paint('dim', `  ${FAILURES.IDENTITY_UNVERIFIED.hint}`),
        ]
      : []),
  ];
  return { value: request, text: () => lines.join('\n'), exitCode: 5 };
}

/** Approved, and published with others or not at all. */
function waiting({ style }: Context, request: RequestView, awaited: number): Output {
  const others = awaited === 1 ? 'one other of them awaits' : `${awaited} others of them await`;
  const line = `request ${request.id} is published in one push with others, or not at all: ${others} approval`;
  return {
    value: request,
    text: () => `${style.paint(['yellow', 'bold'], 'approved')} ${style.paint('reset', line)}`,
    exitCode: 5,
  };
}

/** The request after execution, with the findings of the execution. */
export async function executedOutput(
  { session, style }: Context,
  engine: Engine,
  request: RequestView,
  { reported, ...how }: ExecuteHow & { readonly reported: readonly Finding[] },
): Promise<Output & { readonly isLeft: boolean }> {
  const result = await executeOrLeave(session, engine, request, how);
  const after = await engine.requests.show({ id: request.id });
  const status = result.status === 'executing' && after.status === 'approved' ? 'executing' : after.status;
  const { breakGlass, resume } = after;
  const destination = await engine.destination();
  const more = { destination, ...(breakGlass && { breakGlass }), ...(resume && { resumes: [] }) };
  return {
    value: { ...after, status, findings: result.findings, destination },
    text: () => resultText(style, result, reported, more),
    ...(result.status === 'proposed' && { exitCode: 5 }),
    isLeft: isLeft(result),
  };
}
