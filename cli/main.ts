#!/usr/bin/env node
import { readEnvironment } from './environment.ts';
import { outliveReaders } from './output.ts';
import { runProgram } from './program.ts';

outliveReaders();
process.exitCode = await runProgram(process.argv, readEnvironment());
