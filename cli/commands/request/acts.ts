/** `request reject`, `cancel` and `note`: one event each. */
import { type Command, Option } from 'commander';
import {
  type Act,
  type Engine,
  NOTE_KINDS,
  type NoteKind,
  type RequestView,
  recordable,
  requireText,
  findRequestId,
} from '../../../engine/index.ts';
import { requestText } from '../../print/requests.ts';
import { ID, type Program, runCommand } from '../command.ts';
import { AUTHOR, INCIDENT, type Named, requireNamed } from './named.ts';
import { reviewIncident } from './review-incident.ts';

export function addActs(program: Program, group: Command): void {
  group
    .command('reject')
    .description('reject it; it is not executed')
    .argument('[id]', ID)
    .option('--incident <id>', INCIDENT)
    .option('--author <email>', AUTHOR)
    .option('--comment <text>', 'why; becomes part of the record')
    .option('--yes', 'with --incident: do not ask')
    .action((typed: string | undefined, { comment, yes = false, ...named }: Named & RejectOptions) => {
      const said = comment === undefined ? {} : { comment: recordable(comment) };
      const which = requireNamed(typed, named);
      if ('incident' in which)
        return runCommand(program, (context) =>
          reviewIncident(context, 'rejected', { ...which, ...said, yes, wait: false }),
        );
      return act(program, which.typed, (engine, on) => engine.requests.reject({ ...on, ...said }));
    });
  group
    .command('cancel')
    .description(
      'withdraw it, for as long as nothing is published: by its author, once it is approved also by an approver',
    )
    .argument('<id>', ID)
    .option('--reason <text>', 'why; becomes part of the record')
    .action((typed: string, { reason }: { reason?: string }) =>
      act(program, typed, (engine, on) =>
        engine.requests.cancel({ ...on, ...(reason !== undefined && { reason: recordable(reason) }) }),
      ),
    );
  group
    .command('note')
    .description('add a note, at any time: a root cause, a link to the incident')
    .argument('<id>', ID)
    .argument('<text>', 'one line of the record')
    .addOption(new Option('--kind <kind>', 'what it is').choices(NOTE_KINDS).default('note'))
    .action((typed: string, text: string, { kind }: { kind: NoteKind }) =>
      act(program, typed, (engine, on) =>
        engine.requests.note({ ...on, text: requireText(text, 'The note'), kind }),
      ),
    );
}

interface RejectOptions {
  readonly comment?: string;
  readonly yes?: boolean;
}

function act(
  program: Program,
  typed: string,
  use: (engine: Engine, on: Act) => Promise<RequestView>,
): Promise<void> {
  return runCommand(program, async ({ session, style }) => {
    const request = await session.withEngine(async (engine) => {
      const actor = await session.author(engine);
      return use(engine, { id: await findRequestId(engine, actor, typed), actor });
    });
    return { value: request, text: () => requestText(style, request) };
  });
}
