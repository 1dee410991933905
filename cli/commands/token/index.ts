/** `token create`, `list` and `revoke`: what scripts and other programs show a server of ours. */
import { type Command, Option } from 'commander';
import { PERMISSIONS } from '../../../engine/index.ts';
import { requireMinutes } from '../../time.ts';
import { type Program, runCommand, STATE } from '../command.ts';
import { tokensText, tokenText } from './text.ts';

export function addToken(program: Program): void {
  const group = program.root
    .command('token')
    .description('API tokens of a server: create, list, revoke')
    .addHelpText('after', HELP);
  for (const add of [addCreate, addList, addRevoke]) add(program, group);
}

const HELP = `
Run it where the server runs, with its state folder; a running server sees a change at once. A token acts for one person and never
gives more than \`policy\` gives that person: its scope only narrows. It is shown once, and only a digest of it is kept.

Examples:
  backtrail token create --person jane@example.com --name ci --scope propose --in "acme/*" --expires 30d
  backtrail token list
  backtrail token revoke 8k3m0q9xw2c4v7t1`;

interface StateOptions {
  readonly state?: string;
}

interface CreateOptions extends StateOptions {
  readonly person: string;
  readonly name?: string;
  readonly scope: string[];
  readonly in?: string[];
  readonly expires: string;
}

const managing = () => import('../../../server/tokens/manage.ts');

async function placeOf({ environment }: Program, { state }: StateOptions) {
  const { defaultState } = await import('../../../server/settings/state.ts');
  return { folder: state ?? defaultState(environment.env), now: environment.clock.now() };
}

function addCreate(program: Program, group: Command): void {
  group
    .command('create')
    .description('make a token, and show it once')
    .requiredOption(
      '--person <email>',
      'whom it acts for: jane@example.com, or "Jane Doe <jane@example.com>"',
    )
    .option('--name <text>', 'what it is for')
    .addOption(
      new Option('--scope <permission...>', 'what it may do at most; may be repeated')
        .choices(PERMISSIONS)
        .makeOptionMandatory(),
    )
    .option(
      '--in <environment...>',
      'where: acme/production, */staging; may be repeated (default: everywhere)',
    )
    .requiredOption('--expires <duration>', '12h or 30d, a year at most')
    .option('--state <folder>', STATE)
    .action((options: CreateOptions) =>
      runCommand(program, async ({ style }) => {
        const { createToken } = await managing();
        const minutes = requireMinutes('--expires', options.expires);
        const { random } = program.environment;
        const created = await createToken(await placeOf(program, options), { ...options, minutes }, random);
        return { value: created, text: () => tokenText(style, created) };
      }),
    );
}

function addList(program: Program, group: Command): void {
  group
    .command('list')
    .description('tokens, newest first, without what is secret of them')
    .option('--state <folder>', STATE)
    .action((options: StateOptions) =>
      runCommand(program, async ({ style }) => {
        const { listTokens } = await managing();
        const tokens = await listTokens(await placeOf(program, options));
        return { value: { tokens }, text: () => tokensText(style, tokens) };
      }),
    );
}

function addRevoke(program: Program, group: Command): void {
  group
    .command('revoke')
    .description('end a token now')
    .argument('<id>', 'as `token list` shows it')
    .option('--state <folder>', STATE)
    .action((id: string, options: StateOptions) =>
      runCommand(program, async ({ style }) => {
        const { revokeToken } = await managing();
        const revoked = await revokeToken(await placeOf(program, options), id);
        return { value: revoked, text: () => tokenText(style, revoked) };
      }),
    );
}
