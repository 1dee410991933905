/** Requests as a list shows them. */
import { formatCoordinates, type RequestId, type RequestStatus } from '../../model/index.ts';
import { hasPermission, samePerson } from '../../policy/policy.ts';
import { readRules, type RequestContext } from '../context.ts';
import type { KnownRequest } from '../ledger/index-file.ts';
import { openLedgerSnapshot } from '../ledger/snapshot.ts';
import type { Requests, RequestView } from '../types.ts';
import { placeOf, viewsOf } from '../view.ts';
import { contradictionsIn } from './borne-out.ts';

/** Completed requests that are looked at for a list of open ones: the newest. */
const NEWEST = 100;

/**
 * What the ledger says is completed, and the branch does not hold, comes after the open ones: somebody has to see to it. What nobody decided on in
 * time has expired, whether or not a reconciler has written so.
 */
export async function list(
  context: RequestContext,
  {
    scope,
    tenant,
    environment,
    author,
    statuses,
    incident,
    reader,
    limit = Infinity,
    after,
  }: Parameters<Requests['list']>[0],
): Promise<RequestView[]> {
  const rules = await readRules(context, reader);
  const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache, { indexed: true });
  const isWanted = (status: RequestStatus) => statuses === undefined || statuses.includes(status);
  const mayRead = (known: KnownRequest) => hasPermission(rules.policy, reader, 'read', placeOf(known));
  const isAsked = (known: KnownRequest) => {
    const name = formatCoordinates(known.scope);
    return (
      (incident === undefined || known.incident === incident) &&
      (tenant === undefined || (known.scope.tenant ?? null) === tenant) &&
      (environment === undefined || known.scope.environment === environment) &&
      (scope === undefined || name === scope || name.startsWith(`${scope}/`)) &&
      mayRead(known)
    );
  };
  const isTheirs = ({ state }: { readonly state: Pick<RequestView, 'author'> }) =>
    author === undefined || samePerson(state.author.email, author, rules.policy);
  const found: RequestView[] = [];
  let isLast = false;
  for (let last = after; found.length < limit; ) {
    const missing = limit - found.length;
    const page = {
      mayRead,
      ...(limit < Infinity && { limit: missing }),
      ...(last !== undefined && { after: last }),
    };
    const files = await ledgerSnapshot.find(
      (known) =>
        (isWanted(known.status) || (known.status === 'pending' && isWanted('expired'))) && isAsked(known),
      page,
    );
    const theirs = files.filter(isTheirs);
    const views = await viewsOf(context, { ledgerSnapshot, rules, files: theirs });
    const problems = await contradictionsIn(context, theirs);
    found.push(...views.filter(({ status }) => isWanted(status)).map((view) => withProblem(view, problems)));
    isLast = files.length < missing;
    if (isLast) break;
    last = files.at(-1)?.state.id;
  }
  if (!isLast || isWanted('completed') || !isWanted('failed')) return found;
  const isDone = (known: KnownRequest) => known.status === 'completed' && isAsked(known);
  const done = await ledgerSnapshot.find(isDone, { limit: NEWEST });
  const problems = await contradictionsIn(context, done);
  const files = done.filter((file) => isTheirs(file) && problems.has(file.state.id));
  const views = await viewsOf(context, { ledgerSnapshot, rules, files });
  return [...found, ...views.map((view) => withProblem(view, problems))].slice(0, limit);
}

function withProblem(view: RequestView, problems: ReadonlyMap<RequestId, string>): RequestView {
  const problem = problems.get(view.id);
  return problem === undefined ? view : { ...view, problems: [problem] };
}
