/** `npm run soak`: many actors open, approve, reject, cancel and note at once; then the ledger must hold all of it, and nothing else. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { soak, type SoakResult } from './soak.ts';

const HELP = `npm run soak -- [--requests 1000] [--others 3] [--actors 20] [--processes 4] [--seed N] [--remote]

--others    calls besides, for each request: approve, reject, cancel, note
--remote    one bare remote, and two mirrors of it in two cache folders; else one local repository
--seed      repeats the choices of an earlier run; what happens at the same moment differs`;

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000' },
    others: { type: 'string', default: '3' },
    actors: { type: 'string', default: '20' },
    processes: { type: 'string', default: '4' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    remote: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const say = (line: string) => void process.stdout.write(`${line}\n`);

if (values.help) say(HELP);
else process.exitCode = await main();

async function main(): Promise<number> {
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
  const result = await soak(options);
  report(result);
  return result.problems.length === 0 ? 0 : 1;
}

function report({ answers, events, requests, seconds, waits, waitedMs, problems }: SoakResult): void {
  const accepted = answers.filter(({ refused }) => refused === null);
  const times = accepted.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  const at = (share: number) =>
    (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(0);
  say(
    `${events} events of ${requests} requests in ${seconds.toFixed(1)} s: ${(events / seconds).toFixed(1)} events/s`,
  );
  say(
    `${answers.length} calls: ${accepted.length} accepted, ${counted(answers.map(({ refused }) => refused))}`,
  );
  say(`accepted calls took ${at(0.5)} ms (median), ${at(0.99)} ms (p99), ${at(1)} ms (slowest)`);
  say(`${waits} retries, which waited ${(waits === 0 ? 0 : waitedMs / waits).toFixed(0)} ms on average`);
  for (const problem of problems.slice(0, 20)) say(`PROBLEM: ${problem}`);
  say(
    problems.length === 0
      ? 'The ledger is one line from one root, git fsck finds nothing, every acknowledged event is there once, every file is the fold of its events, and every answer was right at some moment of its call.'
      : `${problems.length} problems.`,
  );
}

function counted(codes: readonly (string | null)[]): string {
  const counts = new Map<string, number>();
  for (const code of codes) if (code !== null) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([code, count]) => `${count} ${code}`).join(', ') || 'none refused';
}
