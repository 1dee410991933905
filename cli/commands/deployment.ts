/** `deployment record`, `list`, `show`, `exists` and `restore`: what was deployed, what became of it, and the way back to it. */
import { type Command, Option } from 'commander';
import {
  DEPLOYMENT_SOURCES,
  DEPLOYMENT_STATUSES,
  type DeploymentStatus,
  type RecordInput,
  foundIn,
} from '../../engine/index.ts';
import { deploymentsText, deploymentText, existsText } from '../print/deployments.ts';
import { duration } from '../start/parsers.ts';
import { OVERRIDE, positive, type Program, REVISION, runCommand, SCOPE } from './command.ts';
import { toAsk } from './plan.ts';
import { REQUEST_ID, type RollbackOptions, runAsked, WAIT } from './rollback.ts';

export function addDeployment(program: Program): void {
  const group = program.root
    .command('deployment')
    .description('records of what was deployed: record, list, show, exists, restore')
    .addHelpText('after', HELP);
  for (const add of [addRecord, addList, addShow, addExists, addRestore]) add(program, group);
}

const HELP = `
A pipeline records what it deploys; \`history\` shows it, and \`previous\` and \`last-successful\` go by it. A completed rollback records
itself where there are records. They live on a ref of their own: git log refs/backtrail/deployments

Examples:
  backtrail deployment record acme/production/api-gateway --status pending --commit "$GIT_COMMIT"
  backtrail deployment record acme/production/api-gateway --status deployed --commit "$GIT_COMMIT"
  backtrail deployment record acme/production/api-gateway --status failed --commit v12 --note "errors after an hour"
  backtrail deployment exists --image registry.example.com/api-gateway:v2.1.0
  backtrail deployment restore 7Q2M9K --reason "v2.1.0 answers 500"`;

const ID = 'dep-… of the record, or six or more characters of its end';

interface RecordOptions {
  readonly status: DeploymentStatus;
  readonly commit?: string;
  readonly image?: string[];
  readonly note?: string;
  readonly migration?: string;
  readonly id?: string;
  readonly source?: NonNullable<RecordInput['source']>;
}

function addRecord(program: Program, group: Command): void {
  group
    .command('record')
    .description('record a deployment, or the next status of one')
    .argument('<scope>', SCOPE)
    .addOption(
      new Option('--status <status>', 'what became of it').choices(DEPLOYMENT_STATUSES).makeOptionMandatory(),
    )
    .option('--commit <revision>', `${REVISION} (default: the current one)`)
    .option('--image <image...>', 'an image besides those that the revision names; may be repeated')
    .option('--note <text>', 'what should be known of it')
    .option('--migration <text>', 'a change of data that came with it, which a rollback does not undo')
    .option('--id <id>', `${ID}: its next status (default: the newest of the scope and revision)`)
    .addOption(
      new Option('--source <source>', 'who says so (default: pipeline)').choices(
        DEPLOYMENT_SOURCES.filter((source) => source !== 'backtrail'),
      ),
    )
    .action((scope: string, { image, ...options }: RecordOptions) =>
      runCommand(program, async ({ session, style }) => {
        const recorded = await session.withEngine(async (engine) =>
          engine.deployments.record({
            scope,
            ...options,
            ...(image && { images: image }),
            actor: await session.author(engine),
          }),
        );
        return { value: recorded, text: () => deploymentText(style, recorded) };
      }),
    );
}

interface ListOptions {
  readonly status?: DeploymentStatus[];
  readonly limit: number;
  readonly after?: string;
}

function addList(program: Program, group: Command): void {
  group
    .command('list')
    .description('list records of deployments, newest first')
    .argument('[scope]', SCOPE)
    .addOption(new Option('--status <status...>', 'only of these').choices(DEPLOYMENT_STATUSES))
    .option('--limit <n>', 'show the newest N', positive, 100)
    .option('--after <id>', 'only what comes after this record: the next page')
    .action((scope: string | undefined, { status, limit, after }: ListOptions) =>
      runCommand(program, async ({ session, style }) => {
        const { page, findings } = await session.withEngine(async (engine) => {
          const found = await engine.deployments.list({
            ...(scope !== undefined && { scope }),
            ...(status && { statuses: status }),
            ...(after !== undefined && { after }),
            reader: await session.author(engine),
            // One more tells whether there is a further page.
            limit: limit + 1,
          });
          return { page: await foundIn(engine, scope, found.deployments), findings: found.findings };
        });
        const deployments = page.slice(0, limit);
        const next = page.length > limit ? (deployments.at(-1)?.id ?? null) : null;
        return {
          value: { deployments, ...(next !== null && { next }), ...(findings.length > 0 && { findings }) },
          text: () => deploymentsText(style, { deployments, findings, next }),
        };
      }),
    );
}

function addShow(program: Program, group: Command): void {
  group
    .command('show')
    .description('show everything about a record')
    .argument('<id>', ID)
    .action((id: string) =>
      runCommand(program, async ({ session, style }) => {
        const found = await session.withEngine(async (engine) =>
          engine.deployments.show({ id, reader: await session.author(engine) }),
        );
        return { value: found, text: () => deploymentText(style, found) };
      }),
    );
}

/** Nothing is wrong, and the answer is no: an image that was misspelt ends so as well. */
const NO = 3;

function addExists(program: Program, group: Command): void {
  group
    .command('exists')
    .description('whether an image was recorded: ends with 0 if it was, with 3 if it was not')
    .requiredOption('--image <image>', 'registry.example.com/api:v2.1.0, api:v2.1.0, a tag or a digest')
    .action(({ image }: { image: string }) =>
      runCommand(program, async ({ session, style }) => {
        const found = await session.withEngine(async (engine) =>
          engine.deployments.exists({ image, reader: await session.author(engine) }),
        );
        const { exists, deployments, findings } = found;
        return {
          value: { image, exists, deployments, ...(findings.length > 0 && { findings }) },
          text: () => existsText(style, found),
          ...(exists ? {} : { exitCode: NO }),
        };
      }),
    );
}

/** A rollback to the scope and the revision of a record; its reason names the record. */
function addRestore(program: Program, group: Command): void {
  group
    .command('restore')
    .description('roll back to what was deployed then; refused where the record is not `deployed`')
    .argument('<id>', ID)
    .option('--reason <text>', 'why, behind the sentence that names the record')
    .option('--override <code...>', OVERRIDE)
    .option('--dry-run', 'show the plan and stop')
    .option('--yes', 'do not ask')
    .option('--request-id <key>', REQUEST_ID)
    .option('--queue', 'let a worker execute it, and follow it')
    .option('--wait <duration>', WAIT, duration)
    .option('--no-wait', 'with --queue: do not follow it')
    .action((id: string, options: RollbackOptions) =>
      runCommand(program, async (context) => {
        const { session } = context;
        const { deployment, reason } = await session.withEngine(async (engine) =>
          engine.deployments.restorable({ id, reader: await session.author(engine) }),
        );
        const { tenant, environment, service, commit } = deployment;
        const scope = { ...(tenant && { tenant }), environment, ...(service && { service }) };
        const said = options.reason === undefined ? reason : `${reason}\n\n${options.reason}`;
        const { scope: _, ...named } = toAsk('', { ...options, to: commit });
        return runAsked(context, { ...named, scope }, { ...options, reason: said });
      }),
    );
}
