import { recordable, requireReason, requireText, findRequestId, findSessionId } from '../../engine/index.ts';
import type { Command } from 'commander';
import { requestText } from '../print/requests.ts';
import { sessionsText, sessionText } from '../print/sessions.ts';
import { requireMinutes } from '../time.ts';
import { ID, type Program, runCommand, SCOPE } from './command.ts';

export function addBreakGlass(program: Program): void {
  const group = program.root
    .command('break-glass')
    .description(
      'sessions in which rollbacks need no approval, where the policy allows that: open, close, list, review',
    )
    .addHelpText('after', HELP);
  for (const add of [addOpen, addClose, addList, addReview]) add(program, group);
}

const HELP = `
A session skips the approval of its holder's rollbacks, never the record: each is flagged in the ledger, in its commit and in every
list, and waits until another person has reviewed it.

Examples:
  backtrail break-glass open acme/production --reason "Checkout is down" --ticket INC-4711 --for 30m
  backtrail rollback acme/production/checkout --reason "v4 answers 500"
  backtrail break-glass review 7Q2M9K --comment "Right thing to do; root cause is noted"`;

interface OpenOptions {
  readonly reason?: string;
  readonly ticket?: string;
  readonly for?: string;
}

function addOpen(program: Program, group: Command): void {
  group
    .command('open')
    .description('start a session of your own')
    .argument('<scope>', SCOPE)
    .option('--reason <text>', 'why; becomes part of the record')
    .option('--ticket <id>', 'the incident it belongs to')
    .option('--for <duration>', '30m or 2h (default: as long as the policy allows)')
    .action((scope: string, { reason, ticket, for: length }: OpenOptions) =>
      runCommand(program, async ({ session, style }) => {
        requireReason(reason, 'A break-glass session');
        const minutes = length === undefined ? {} : { minutes: requireMinutes('--for', length) };
        const opened = await session.withEngine(async (engine) =>
          engine.requests.openSession({
            scope,
            holder: await session.author(engine),
            reason: recordable(reason),
            ...(ticket !== undefined && { ticket: requireText(ticket, '--ticket', 200) }),
            ...minutes,
          }),
        );
        return { value: opened, text: () => sessionText(style, opened) };
      }),
    );
}

function addClose(program: Program, group: Command): void {
  group
    .command('close')
    .description('end a session early')
    .argument('<id>', SESSION)
    .action((typed: string) =>
      runCommand(program, async ({ session, style }) => {
        const closed = await session.withEngine(async (engine) => {
          const actor = await session.author(engine);
          return engine.requests.closeSession({ id: await findSessionId(engine, actor, typed), actor });
        });
        return { value: closed, text: () => sessionText(style, closed) };
      }),
    );
}

const SESSION = 'bgs-… of the session, or six or more characters of its end';

function addList(program: Program, group: Command): void {
  group
    .command('list')
    .description('sessions, the active ones first, and what waits for a review')
    .action(() =>
      runCommand(program, async ({ session, style }) => {
        const found = await session.withEngine(
          async (engine) => engine.requests.sessions(await session.author(engine)),
          { offline: true },
        );
        const sessions = found.sessions.toSorted((a, b) => Number(b.active) - Number(a.active));
        const value = { sessions, reviews: found.reviews };
        return { value, text: () => sessionsText(style, value) };
      }),
    );
}

function addReview(program: Program, group: Command): void {
  group
    .command('review')
    .description('complete the review of a rollback that was executed without approval; not your own')
    .argument('<request>', ID)
    .requiredOption('--comment <text>', 'what you found; becomes part of the record')
    .action((typed: string, { comment }: { comment: string }) =>
      runCommand(program, async ({ session, style }) => {
        const request = await session.withEngine(async (engine) => {
          const actor = await session.author(engine);
          const id = await findRequestId(engine, actor, typed);
          return engine.requests.inspect({ id, actor, comment: requireText(comment, 'The comment') });
        });
        return { value: request, text: () => requestText(style, request) };
      }),
    );
}
