import type { Notice } from '../../../engine/index.ts';
import { redact } from '../../../engine/model/failure.ts';
import { type GlobalOptions, startSession } from '../../session.ts';
import type { Program } from '../command.ts';

interface McpOptions {
  readonly readOnly?: boolean;
}

export function addMcp(program: Program): void {
  program.root
    .command('mcp')
    .description('tools for an assistant (Model Context Protocol), over standard input and output')
    .option('--read-only', 'without the tool that proposes rollbacks')
    .action((options: McpOptions) => mcp(program, options));
}

async function mcp({ root, environment }: Program, { readOnly = false }: McpOptions): Promise<void> {
  const { serveOverStdio } = await import('../../../mcp/stdio.ts');
  // Progress and notices are for people: the assistant is told by its tools.
  const options: GlobalOptions = { ...root.opts<GlobalOptions>(), output: 'json' };
  // Of the answer that is being given.
  let asOf: string | null = null;
  const onOffline = (notice: Notice) => {
    asOf = notice.asOf ?? asOf;
  };
  const session = await startSession(environment, options, { onOffline });
  await session.withEngine(
    async (engine) =>
      serveOverStdio({
        engine,
        actor: await session.author(engine),
        readOnly,
        version: root.version() ?? '',
        server: options.server?.replace(/\/+$/, '') ?? null,
        offline: () => {
          const since = asOf;
          asOf = null;
          return since;
        },
        onInternal: (error) =>
          process.stderr.write(`mcp: ${redact(error instanceof Error ? error.message : String(error))}\n`),
        input: process.stdin,
        output: process.stdout,
      }),
    { offline: true },
  );
}
