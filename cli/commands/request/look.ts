/** `request list`, `show` and `plan`: requests, and what they would change now. */
import type { Command } from 'commander';
import {
  REQUEST_STATUSES,
  type RequestStatus,
  asReviewed,
  findRequestId,
  foundIn,
} from '../../../engine/index.ts';
import { withJobs } from '../../jobs.ts';
import { positive, requestStatuses } from '../../start/parsers.ts';
import { requestsText, requestText } from '../../print/requests.ts';
import { ID, type Program, runCommand, SCOPE } from '../command.ts';
import { liveOf, livePartText } from '../live/of-rollback.ts';
import { planOutput } from '../plan.ts';

/** Pending, or still to be executed. */
const OPEN: readonly RequestStatus[] = ['pending', 'approved', 'executing', 'failed'];

/** Answered of what was fetched last where the remote is away, with its age. */
const OFFLINE = { offline: true };

interface ListOptions {
  readonly status?: RequestStatus[];
  readonly all?: boolean;
  readonly incident?: string;
  readonly author?: string;
  readonly limit: number;
  readonly after?: string;
}

export function addRequestList(program: Program, group: Command): void {
  group
    .command('list')
    .description('list open requests, newest first')
    .argument('[scope]', SCOPE)
    .option('--status <status...>', `only of these: ${REQUEST_STATUSES.join(', ')}`, requestStatuses)
    .option('--incident <id>', 'only what this incident asked for')
    .option('--author <email>', 'only what this person asked for')
    .option('--all', 'include closed requests')
    .option('--limit <n>', 'show the newest N', positive, 1000)
    .option('--after <id>', 'only what comes after this request: the next page')
    .action((scope: string | undefined, options: ListOptions) =>
      runCommand(program, async ({ session, style }) => {
        const all = options.all === true || options.status !== undefined;
        const wanted = options.status ?? (all ? REQUEST_STATUSES : OPEN);
        const { limit, after, incident, author } = options;
        const found = await session.withEngine(async (engine) => {
          const reader = await session.author(engine);
          const requests = await engine.requests.list({
            ...(scope !== undefined && { scope }),
            ...(incident !== undefined && { incident }),
            ...(author !== undefined && { author }),
            // A request that a worker is executing is still `approved` in the ledger.
            statuses: wanted.includes('executing') ? [...new Set([...wanted, 'approved' as const])] : wanted,
            reader,
            // One more tells whether there is a further page.
            limit: limit + 1,
            ...(after !== undefined && { after: await findRequestId(engine, reader, after) }),
          });
          return foundIn(engine, scope, requests);
        }, OFFLINE);
        const page = found.slice(0, limit);
        const next = found.length > limit ? (page.at(-1)?.id ?? null) : null;
        const requests = (await withJobs(session, page)).filter(
          ({ status, problems }) => wanted.includes(status) || problems !== undefined,
        );
        return {
          value: { requests, ...(next !== null && { next }) },
          text: () => requestsText(style, requests, { all, next }),
        };
      }),
    );
}

export function addRequestShow(program: Program, group: Command): void {
  group
    .command('show')
    .description('show everything about a request: reviews, notes, result, whether it is live')
    .argument('<id>', ID)
    .action((typed: string) =>
      runCommand(program, async ({ session, style }) => {
        const { stored, live } = await session.withEngine(async (engine) => {
          const reader = await session.author(engine);
          const found = await engine.requests.show({
            id: await findRequestId(engine, reader, typed),
            reader,
          });
          return { stored: found, live: await liveOf(engine, found, reader) };
        }, OFFLINE);
        const [request = stored] = await withJobs(session, [stored]);
        return {
          value: { ...request, ...(live !== undefined && { live }) },
          text: () =>
            [requestText(style, request), ...livePartText({ style }, request.scopeName, live)].join('\n'),
        };
      }),
    );
}

export function addRequestPlan(program: Program, group: Command): void {
  group
    .command('plan')
    .description('show what it would change now, and whether reviewers were asked about the same plan')
    .argument('<id>', ID)
    .action((typed: string) =>
      runCommand(program, async ({ session, style }) => {
        const replanned = await session.withEngine(async (engine) => {
          const reader = await session.author(engine);
          const id = await findRequestId(engine, reader, typed);
          return engine.requests.plan({ id, reader, revisions: true });
        });
        const { request, changed, rendered } = replanned;
        const { value, ...output } = planOutput(style, asReviewed(replanned));
        const { id: requestId, status } = request;
        return { ...output, value: { ...value, requestId, status, changed, rendered } };
      }),
    );
}
