/** `npm run incident -- FILE.yaml`: `backtrail incident FILE.yaml`, as it is in this folder. */
import { readEnvironment } from '../cli/environment.ts';
import { outliveReaders } from '../cli/output.ts';
import { runProgram } from '../cli/program.ts';

outliveReaders();
const [node = '', script = '', ...args] = process.argv;
process.exitCode = await runProgram([node, script, 'incident', ...args], readEnvironment());
