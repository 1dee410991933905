import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  BacktrailError,
  type Engine,
  type Finding,
  makeRequestId,
  type Proposed,
} from '../../engine/index.ts';
import { confirmConfig, confirmLedgerFetch } from '../ask.ts';
import { type Output, printAside } from '../output.ts';
import { destinationText } from '../print/destination.ts';
import { proposalText, proposalValue, type Written, writtenText } from '../print/proposal.ts';
import { type Context, type Program, runCommand } from './command.ts';

interface InitOptions {
  readonly yes?: boolean;
  readonly file?: string;
  readonly dryRun?: boolean;
}

const NOTHING: Written = { commit: null, file: null, findings: [], ledgerFetch: null, destination: null };

export function addInit(program: Program): void {
  program.root
    .command('init')
    .description('propose a configuration from the tree, and commit it')
    .option('--yes', 'do not ask')
    .option('--file <file>', 'write it to a new file instead of the branch')
    .option('--dry-run', 'show the proposal and stop')
    .action((options: InitOptions) =>
      runCommand(program, (context) =>
        context.session.withEngine((engine) => init(context, engine, options)),
      ),
    );
}

async function init(context: Context, engine: Engine, options: InitOptions): Promise<Output> {
  const { session, style } = context;
  const proposed = await engine.propose();
  const show = (error?: BacktrailError): Output => ({
    value: proposalValue(proposed, NOTHING),
    text: () => proposalText(style, proposed),
    ...(error && { error }),
  });
  const { present, branch, clear, findings } = proposed;
  if (present && options.file === undefined && !options.dryRun)
    throw new BacktrailError('CONFIG_PRESENT', `Branch ${branch} holds .backtrail/config.yaml already.`);
  if (!clear) return show(unclear(findings));
  if (options.dryRun) return show();
  const asks = session.environment.interactive && session.format === 'text';
  if (!options.yes && options.file === undefined && !asks)
    return show(
      new BacktrailError('CONFIRMATION_REQUIRED', 'There is no terminal to confirm this proposal on.'),
    );
  if (session.format === 'text') printAside(proposalText(style, proposed));
  const written = await write(context, engine, { proposed, options });
  return {
    value: proposalValue(proposed, written),
    text: () => writtenText(style, proposed, written),
  };
}

function unclear(findings: readonly Finding[]): BacktrailError {
  const message = findings.find(({ code }) => code === 'LAYOUT_UNCLEAR')?.message;
  return new BacktrailError('LAYOUT_UNCLEAR', message ?? 'Nothing in the tree looks like an environment.');
}

async function write(
  { session }: Context,
  engine: Engine,
  { proposed, options }: { proposed: Proposed; options: InitOptions },
): Promise<Written> {
  const { branch, config: text } = proposed;
  const { file } = options;
  if (file !== undefined) {
    await writeNew(file, text);
    return { ...NOTHING, file };
  }
  const destination = await engine.destination(branch);
  if (!options.yes) await confirmConfig(branch, destinationText(destination));
  const fetch = await engine.ledgerFetch(branch);
  const follows = fetch !== null && (options.yes === true || (await confirmLedgerFetch(fetch.remote)));
  const { environment } = session;
  const id = makeRequestId(environment.clock.now(), environment.random(10));
  const author = await session.author(engine);
  const written = await engine.writeConfig({ branch, text, id, author });
  if (follows) await fetch.add();
  return { file: null, ...written, destination, ledgerFetch: follows ? fetch.remote : null };
}

/** Never over what is there: people change the file. */
async function writeNew(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: 'wx' });
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    const message = exists ? `The file ${file} is there already.` : `The file ${file} cannot be written.`;
    throw new BacktrailError('INVALID_REQUEST', message, {
      hint: exists
        ? 'Name another file, or remove that one.'
        : 'Name a file in a folder that you may write to.',
      cause,
    });
  }
}
