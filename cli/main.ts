#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { readEnvironment } from './environment.ts';
import { outliveReaders, printError } from './terminal/output.ts';
import { runProgram } from './start/program.ts';
import type { Usage } from './start/usage.ts';

outliveReaders();
process.exitCode = await main();

async function main(): Promise<number> {
  let environment;
  try {
    environment = readEnvironment();
  } catch (error) {
    return printError(error, 'text');
  }
  const prepare = async () => (await import('./start/tune.ts')).tuneNode(environment);
  return runProgram(process.argv, environment, { usage: builtUsage(), prepare });
}

/** The table of commands that the build leaves beside this file; undefined where the sources are run. */
function builtUsage(): Usage | undefined {
  try {
    const usage: Usage = JSON.parse(readFileSync(new URL('./usage.json', import.meta.url), 'utf8'));
    return usage;
  } catch {
    return undefined;
  }
}
