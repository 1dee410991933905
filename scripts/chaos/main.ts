/**
 * `npm run chaos`: many rollbacks while everything around them breaks. `npm run chaos -- ledger`: many people at once on one ledger, where
 * nothing breaks. Exit code 1 where something is wrong afterwards.
 */
import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { chaos } from './chaos.ts';
import { ledgerLoad, loadText } from './ledger/load.ts';
import { reportText } from './report.ts';
import { newState, readState } from './state.ts';

const HELP = `npm run chaos -- [--rollbacks 1000] [--workers 2] [--seed N] [--pace 1] [--folder F] | --resume F
npm run chaos -- ledger [--requests 1000] [--others 3] [--actors 20] [--processes 4] [--seed N] [--remote]

--seed      repeats the choices of an earlier run; what happens at the same moment differs
--pace      troubles come and last so many times as slowly
--folder    where the run keeps its remote, logs, state.json, report.json and report.txt; a temporary folder otherwise, which is removed where all is well
--resume    goes on with a run that was stopped or killed, from its folder
--others    calls besides, for each request: approve, reject, cancel, note
--remote    one bare remote, and two mirrors of it in two cache folders; else one local repository`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rollbacks: { type: 'string', default: '1000' },
    workers: { type: 'string', default: '2' },
    pace: { type: 'string', default: '1' },
    folder: { type: 'string' },
    resume: { type: 'string' },
    requests: { type: 'string', default: '1000' },
    others: { type: 'string', default: '3' },
    actors: { type: 'string', default: '20' },
    processes: { type: 'string', default: '4' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    remote: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const say = (line: string) => void process.stdout.write(`${line}\n`);

if (values.help) say(HELP);
else process.exitCode = await (positionals[0] === 'ledger' ? load() : run());

async function run(): Promise<number> {
  const { resume, folder: named } = values;
  const folder = resolve(resume ?? named ?? mkdtempSync(join(tmpdir(), 'backtrail-chaos-')));
  mkdirSync(folder, { recursive: true });
  const known = readState(folder);
  if (resume !== undefined && known === null) throw new Error(`${folder} holds no run.`);
  if (resume === undefined && known !== null)
    throw new Error(`${folder} holds a run already: --resume ${folder}`);
  const [seed, rollbacks, workers, pace] = [values.seed, values.rollbacks, values.workers, values.pace].map(
    Number,
  );
  const state =
    known ?? newState({ seed: seed ?? 0, rollbacks: rollbacks ?? 0, workers: workers ?? 0, pace: pace ?? 1 });
  say(
    `seed ${state.seed}: ${state.rollbacks} rollbacks; to go on with it after it was stopped: --resume ${folder}`,
  );
  const report = await chaos({ folder, state, program: PROGRAM, opener: await builtOpener(), say });
  const text = reportText(report);
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(join(folder, 'report.txt'), `${text}\n`);
  say(text);
  const isWell = report.problems.length === 0;
  if (isWell && named === undefined && resume === undefined)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  return isWell ? 0 : 1;
}

/** The people's program in one file, as it is started again and again. */
async function builtOpener(): Promise<string> {
  const outfile = fileURLToPath(new URL('../../node_modules/.cache/backtrail/opener.mjs', import.meta.url));
  const entryPoints = [fileURLToPath(new URL('opener.ts', import.meta.url))];
  await build({ entryPoints, outfile, bundle: true, packages: 'external', platform: 'node', format: 'esm' });
  return outfile;
}

async function load(): Promise<number> {
  const { requests, others, actors, processes, seed, remote } = values;
  const options = {
    requests: Number(requests),
    others: Number(others),
    actors: Number(actors),
    processes: Number(processes),
    seed: Number(seed),
    remote,
  };
  say(
    `seed ${seed}: ${requests} requests by ${actors} actors in ${processes} processes, ${remote ? 'two mirrors of one remote' : 'one repository'}`,
  );
  const result = await ledgerLoad(options);
  say(loadText(result));
  return result.problems.length === 0 ? 0 : 1;
}
