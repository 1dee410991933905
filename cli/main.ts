#!/usr/bin/env node
import { readEnvironment } from './environment.ts';
import { outliveReaders, printError } from './output.ts';
import { runProgram } from './program.ts';

outliveReaders();
process.exitCode = await main();

async function main(): Promise<number> {
  let environment;
  try {
    environment = readEnvironment();
  } catch (error) {
    return printError(error, 'text');
  }
  return runProgram(process.argv, environment);
}
