/** Runs a command line in this process. The build bundles it apart from the commands: with the reader of command lines, and nothing else. */
import { type Environment, readEnvironment } from '../environment.ts';
import { outliveReaders, printError } from '../terminal/output.ts';
import { readLine } from './line.ts';
import type { runCommand } from './program.ts';
import type { Usage } from './usage.ts';

/** cli/start/program.ts, as the build makes a file of it. */
export interface Commands {
  readonly runCommand: typeof runCommand;
}

/** Gives the exit code. `load` is asked for the code of a command by its name, where the line means one. */
export function runBuilt(
  argv: readonly string[],
  usage: Usage,
  load: (command: string) => Commands,
): Promise<number> {
  return withEnvironment(async () => {
    const line = await readLine(argv, usage);
    return typeof line === 'number' ? line : load(line.args[0] ?? '').runCommand(argv, line);
  });
}

export async function withEnvironment(run: (environment: Environment) => Promise<number>): Promise<number> {
  outliveReaders();
  let environment;
  try {
    environment = readEnvironment();
  } catch (error) {
    return printError(error, 'text');
  }
  return run(environment);
}
