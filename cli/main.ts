#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Environment, readEnvironment } from './environment.ts';
import { outliveReaders, printError } from './terminal/output.ts';
import { readLine } from './start/line.ts';
import type { Usage } from './start/usage.ts';

outliveReaders();
process.exitCode = await main(process.argv);

async function main(argv: readonly string[]): Promise<number> {
  let environment;
  try {
    environment = readEnvironment();
  } catch (error) {
    return printError(error, 'text');
  }
  const built = readBuilt();
  if (built === undefined) return (await import('./start/program.ts')).runProgram(argv, environment);
  const line = await readLine(argv, built);
  if (typeof line === 'number') return line;
  const commands = await loadBuilt(built, environment, line.args[0] ?? '');
  return commands.runCommand(argv, line);
}

/** What the build leaves beside this file: the table of commands, and the name of the file with their code. */
interface Built extends Usage {
  readonly code: string;
}

/** Undefined where the sources are run. */
function readBuilt(): Built | undefined {
  try {
    const built: Built = JSON.parse(readFileSync(new URL('./usage.json', import.meta.url), 'utf8'));
    return built;
  } catch {
    return undefined;
  }
}

async function loadBuilt({ code }: Built, { cacheFolder, env, nodeVersion }: Environment, name: string) {
  const [{ tuneNode }, { loadCommands }] = await Promise.all([
    import('./start/tune.ts'),
    import('./start/compiled.ts'),
  ]);
  tuneNode({ cacheFolder, nodeVersion }, name);
  // Node's own switch, for the same: what is compiled is not kept.
  const folder = env['NODE_DISABLE_COMPILE_CACHE'] ? null : join(cacheFolder, 'compiled');
  return loadCommands(fileURLToPath(new URL(code, import.meta.url)), folder, name);
}
