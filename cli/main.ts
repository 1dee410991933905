#!/usr/bin/env node
import { readEnvironment } from './environment.ts';
import { runProgram } from './program.ts';

process.exitCode = await runProgram(process.argv, readEnvironment());
