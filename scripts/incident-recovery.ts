/** `npm run incident -- FILE.yaml`: `backtrail incident FILE.yaml`, as it is in this folder. */
import { readEnvironment } from '../cli/environment.ts';
import { runProgram } from '../cli/start/program.ts';
import { outliveReaders } from '../cli/terminal/output.ts';

outliveReaders();
const [node = '', script = '', ...args] = process.argv;
process.exitCode = await runProgram([node, script, 'incident', ...args], readEnvironment());
