import { BacktrailError, type Engine, type Proposed, type ProposedLayout } from '../../../engine/index.ts';
import { chooseLayout } from '../../terminal/ask.ts';
import { type Output, printAside } from '../../terminal/output.ts';
import { planText } from '../../print/plan.ts';
import {
  candidatesText,
  proposalText,
  proposalValue,
  unclearText,
  writtenText,
} from '../../print/proposal.ts';
import { type Context, type Program, runCommand } from '../command.ts';
import { checkCoverage } from './check.ts';
import { SHAPES_HELP, type SteerOptions, toSteering } from './steer.ts';
import { NOTHING, writeProposal } from './write.ts';

export interface InitOptions extends SteerOptions {
  readonly yes?: boolean;
  readonly file?: string;
  readonly dryRun?: boolean;
  readonly check?: boolean;
  readonly sign?: boolean;
}

const HELP = `
Where no layout is clearly right, it ends with exit code 3 and shows the nearest layouts;
--environments, --shape and --like choose. Shapes, with examples in docs/layouts.md:

${SHAPES_HELP}`;

export function addInit(program: Program): void {
  program.root
    .command('init')
    .description('propose a configuration from the tree, and commit it')
    .option('--yes', 'do not ask')
    .option('--file <file>', 'write it to a new file instead of the branch')
    .option('--dry-run', 'show the proposal and stop')
    .option('--sign', "sign the commit with your SSH key (git's user.signingKey)")
    .option(
      '--check',
      'for CI: what has come that the configuration does not cover; exit code 3 where something has',
    )
    .option('--environments <names>', 'these are the environments, and no others: prod,staging')
    .option('--shape <name>', 'a layout of this shape')
    .option(
      '--like <path=scope>',
      'this file belongs to [tenant/]environment[/service]; may be repeated',
      (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
    )
    .addHelpText('after', HELP)
    .action((options: InitOptions) =>
      runCommand(
        program,
        (context) => {
          if (options.check) return checkCoverage(context, { ...options });
          const steering = toSteering(options);
          return context.session.withEngine(async (engine) =>
            init(context, engine, { options, proposed: await engine.propose(steering) }),
          );
        },
        options,
      ),
    );
}

interface Asked {
  readonly options: InitOptions;
  readonly proposed: Proposed;
}

async function init(context: Context, engine: Engine, { options, proposed }: Asked): Promise<Output> {
  const { session, style } = context;
  const { present, branch, candidates } = proposed;
  const { file, dryRun, yes } = options;
  if (present && file === undefined && !dryRun)
    throw new BacktrailError('CONFIG_PRESENT', `Branch ${branch} already has .backtrail/config.yaml.`);
  const asks = session.environment.interactive && session.format === 'text' && !yes && !dryRun;
  if (proposed.chosen === null && !(asks && candidates.length > 0))
    return {
      value: proposalValue(proposed, proposed.chosen, NOTHING),
      text: () => unclearText(style, proposed),
      error: unclear(proposed),
    };
  const chosen = proposed.chosen ?? (await choose(context, proposed));
  const text = () => proposalText(style, branch, chosen);
  const show = (error?: BacktrailError): Output => ({
    value: proposalValue(proposed, chosen, NOTHING),
    text,
    ...(error && { error }),
  });
  if (dryRun) return show();
  if (!yes && file === undefined && !asks)
    return show(
      new BacktrailError('CONFIRMATION_REQUIRED', 'There is no terminal to confirm this proposal on.'),
    );
  if (session.format === 'text') printAside(text());
  if (asks) await showSample(context, engine, chosen);
  const { config } = chosen;
  const written = await writeProposal(context, engine, { branch, config, file, yes: yes ?? false });
  return {
    value: proposalValue(proposed, chosen, written),
    text: () => writtenText(style, branch, written),
  };
}

/** LAYOUT_UNCLEAR, with what to do about it. */
function unclear({ findings, candidates }: Proposed): BacktrailError {
  const message = findings.find(({ code }) => code === 'LAYOUT_UNCLEAR')?.message;
  return new BacktrailError('LAYOUT_UNCLEAR', message ?? 'Nothing in the tree looks like an environment.', {
    ...(candidates.length > 0 && {
      hint: 'Choose on a terminal, or with --environments A,B, --shape NAME or --like PATH=environment/service; or write the file by hand: docs/layouts.md.',
    }),
  });
}

/** CONFIRMATION_REQUIRED where none is. */
async function choose({ style }: Context, proposed: Proposed): Promise<ProposedLayout> {
  printAside(candidatesText(style, proposed));
  const index = await chooseLayout(
    proposed.candidates.map(({ shape, environments }) => ({
      label: shape,
      hint: environments
        .slice(0, 4)
        .map(({ environment }) => environment)
        .join(', '),
    })),
  );
  const chosen = proposed.candidates[index];
  if (chosen === undefined) throw new BacktrailError('INTERNAL', 'That layout is none of those shown.');
  return chosen;
}

/** What confirming it will do. */
async function showSample({ style }: Context, engine: Engine, { config }: ProposedLayout): Promise<void> {
  const planned = await engine.samplePlan(config);
  printAside(
    planned === null
      ? 'None of the scopes checked has an earlier revision yet, so no plan can be shown.\n'
      : `${style.paint('bold', 'With it, a rollback would look like this; nothing is changed:')}\n\n${planText(style, planned)}\n`,
  );
}
