/** The commit of the manifests: it follows the rollback, names it, and changes only outputs. */
import { quotePath, type Scope } from '../../model/index.ts';
import type { Layout } from '../../layout/layout.ts';
import { pathProblem } from '../../layout/outputs.ts';
import { bindPath, compilePattern, toBindings } from '../../layout/pattern.ts';
import { digestOfOutputs } from '../../plan/digest.ts';
import { deliveryMessage } from '../../record/message.ts';
import { readDelivery } from '../../record/read.ts';
import { messageStyle, shortTarget } from '../../rollback/stage.ts';
import { bindOf } from '../../requests/gate/owners.ts';
import type { Audit } from '../audit.ts';
import { judgeAuthor } from './author.ts';
import { type Changes, changesBetween, malformedIn } from './changes.ts';
import { codeOf } from './claim.ts';
import type { CommitText } from '../line/commit-text.ts';
import { cut } from './compare.ts';
import { compareMessage } from './message.ts';
import { type Problem, problem } from '../problems.ts';
import type { Ledgered } from './ledgered.ts';
import { judgeRendered } from './rendered.ts';
import type { Made } from './rollback.ts';

/** Whether the commit after a rollback says that it delivers it; what it says may be wrong in part. */
export function delivers(next: CommitText, { id }: CommitText, requestId: string): boolean {
  const claim = readDelivery(next.trailers)?.record;
  return claim !== undefined && (claim.of === id || (requestId !== '' && claim.requestId === requestId));
}

interface Delivered {
  readonly commit: CommitText;
  readonly made: Made;
  readonly ledgered: Ledgered | null;
}

/** `next`: the commit after the rollback, which says that it delivers it; null: none does. */
export async function judgeDelivery(
  audit: Audit,
  { commit, made, ledgered }: Delivered,
  next: CommitText | null,
): Promise<Problem[]> {
  if (next === null)
    return [
      ...boundProblems(audit, made, { ledgered, changes: [] }),
      ...(await judgeRendered(audit, made, { changes: [], renderer: null })),
    ];
  const name = `The commit of its manifests, ${next.id.slice(0, 10)},`;
  const claim = readDelivery(next.trailers);
  if (claim === null) return [problem('DELIVERY_DIFFERS', `${name} names no rollback.`)];
  const { record } = claim;
  const problems = claim.problems.map((sentence) =>
    problem(codeOf(sentence), `${name} is wrong: ${sentence}`),
  );
  if (record.of !== commit.id)
    problems.push(problem('DELIVERY_DIFFERS', `${name} says that it delivers ${record.of.slice(0, 10)}.`));
  if (record.requestId !== made.request.id)
    problems.push(problem('DELIVERY_DIFFERS', `${name} says that it is of ${record.requestId}.`));
  if (next.parents.length !== 1) problems.push(problem('PARENTS', `${name} is a merge.`));
  const { changes, malformed } = await changesBetween(audit.reader, commit.tree, next.tree);
  problems.push(...malformedIn({ malformed }, name.slice(0, -1)));
  const isOutput = outputsOf(made.snapshot.layout, made.request.scope);
  problems.push(
    ...cut(
      changes
        .filter(({ path }) => !isOutput(path))
        .map(({ path }) =>
          problem('OUTPUT_UNEXPECTED', `${name} changes ${quotePath(path)}, which is no manifest.`),
        ),
    ),
  );
  if (changes.length === 0) problems.push(problem('DELIVERY_DIFFERS', `${name} changes nothing.`));
  problems.push(
    ...(await judgeWords(name, { commit, made }, next)),
    ...boundProblems(audit, made, { ledgered, changes }),
    ...(await judgeRendered(audit, made, { changes, renderer: record.renderer })),
  );
  return problems;
}

/** Approvals may be bound to the manifests as well. */
function boundProblems(
  { reader }: Audit,
  { plan, snapshot }: Made,
  { ledgered, changes }: { readonly ledgered: Ledgered | null; readonly changes: Changes['changes'] },
): Problem[] {
  const { policy } = snapshot.layout.config;
  if (ledgered === null || bindOf({ policy }, plan.owners) !== 'rendered') return [];
  const { rendered } = ledgered.file.state;
  const digest = digestOfOutputs(reader.hasher, changes);
  if (digest === rendered) return [];
  if (changes.length === 0)
    return [problem('DELIVERY_MISSING', 'The manifests that were approved with it are not there.')];
  const message = `The manifests have the digest ${digest ?? 'of none'}: approved was ${rendered ?? 'none'}.`;
  return [problem('DELIVERY_DIFFERS', message)];
}

async function judgeWords(
  name: string,
  { commit, made }: { readonly commit: CommitText; readonly made: Made },
  next: CommitText,
): Promise<Problem[]> {
  const { record, request, snapshot, plan } = made;
  const claim = readDelivery(next.trailers)?.record;
  const expected = deliveryMessage({
    record: { of: commit.id, renderer: claim?.renderer ?? '', requestId: request.id },
    rollback: record,
    services: await plan.services(),
    shortTarget: shortTarget(request),
    style: messageStyle({ snapshot }, [commit.committer]),
  });
  const words = compareMessage({ message: next.message, expected });
  const { name: who, email } = commit.committer;
  const author = { name: who, email };
  const dated = judgeAuthor(next, { author, requestedAt: request.requestedAt });
  const { committer } = next;
  const isOther = committer.name !== who || committer.email !== email;
  return [
    ...words.map(({ code, message }) => problem(code, `${name} has another message. ${message}`)),
    ...dated.map(({ code, message }) => problem(code, `${name} is another's. ${message}`)),
    ...(isOther
      ? [
          problem(
            'COMMITTER_DIFFERS',
            `${name} was committed by ${committer.email}, and the rollback by ${email}.`,
          ),
        ]
      : []),
  ];
}

/** Which paths hold manifests of the environment. */
export function outputsOf({ config }: Layout, { tenant, environment }: Scope): (path: string) => boolean {
  if (config.delivery === null) return () => false;
  const pattern = compilePattern(config.delivery.output);
  const bound = bindPath(pattern, toBindings({ ...(tenant !== undefined && { tenant }), environment }));
  return (path) =>
    path.split('/').length === pattern.segments.length &&
    bound.match(path) !== null &&
    pathProblem(path) === null;
}
