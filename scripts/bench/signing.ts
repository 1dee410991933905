/** What signatures cost: the same requests executed together by a worker's engine, signed and not, and one rollback alone, in turns. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../../engine/internal.ts';
import { engineOptions, openRequests, planScopes } from './many.ts';
import { git, median, PERSON, say } from './measure.ts';
import type { Bench } from './rollback.ts';

/** Alone, so many of each. */
const ALONE = 15;

export async function benchSigning(bench: Bench, count: number): Promise<void> {
  const key = join(bench.folder, 'bench-key');
  rmSync(key, { force: true });
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const global = join(bench.folder, 'bench-gitconfig');
  const keyed = { ...bench, env: { ...bench.env, GIT_CONFIG_GLOBAL: global } };
  for (const [name, value] of [
    ['gpg.format', 'ssh'],
    ['user.signingKey', key],
  ] as const)
    git({ cwd: bench.folder, env: bench.env }, ['config', '--file', global, name, value]);
  for (const isRemote of [false, true]) {
    say(`${isRemote ? 'a remote over file://' : 'a local repository'}, load ${load()}:`);
    const [plain, signed] = [
      await together(keyed, { count, isRemote, sign: false }),
      await together(keyed, { count, isRemote, sign: true }),
    ];
    const more = (signed.took - plain.took) / signed.commits;
    say(`  ${plain.commits} commits in one push, not signed   ${(plain.took / 1000).toFixed(1)} s   1.00 x`);
    say(
      `  the same, signed   ${(signed.took / 1000).toFixed(1)} s   ${(signed.took / plain.took).toFixed(2)} x, ${more.toFixed(1)} ms a commit`,
    );
    const alone = await oneByOne(keyed, isRemote);
    say(`  a rollback alone, p50 of ${ALONE}, not signed   ${alone.plain.toFixed(0)} ms   1.00 x`);
    say(`  the same, signed   ${alone.signed.toFixed(0)} ms   ${(alone.signed / alone.plain).toFixed(2)} x`);
  }
  say(`  load at the end ${load()}`);
}

interface Place {
  readonly count: number;
  readonly isRemote: boolean;
  readonly sign: boolean;
}

const load = () => loadavg()[0]?.toFixed(1) ?? '';

function copyOf({ folder, repo, env }: Bench, name: string, isRemote: boolean) {
  const copy = join(folder, `signing-${name}-${isRemote ? 'remote' : 'local'}.git`);
  const cacheFolder = `${copy}-cache`;
  for (const path of [copy, cacheFolder]) rmSync(path, { recursive: true, force: true });
  git({ cwd: folder, env }, ['clone', '--quiet', '--bare', '--shared', repo, copy]);
  const location = isRemote ? `file://${copy}` : copy;
  return { copy, options: { ...engineOptions(folder, env, isRemote), cacheFolder, repo: location } };
}

/** Milliseconds from approved to completed, of so many at once, and their commits. */
async function together(bench: Bench, { count, isRemote, sign }: Place) {
  const { copy, options } = copyOf(bench, sign ? 'signed' : 'plain', isRemote);
  const engine = await openEngine({ ...options, sign });
  try {
    const ids = await openRequests(engine, await planScopes(engine, { count, size: bench.size }));
    const start = performance.now();
    const results = await engine.rollbacks.executeMany(ids.map((id) => ({ id })));
    const took = performance.now() - start;
    for (const result of results.values()) if (result.status === 'rejected') throw result.reason;
    const commits = Number(git({ cwd: copy, env: bench.env }, ['rev-list', '--count', `-${count}`, 'main']));
    const last = git({ cwd: copy, env: bench.env }, ['cat-file', 'commit', 'main']);
    if (last.includes('\ngpgsig') !== sign) throw new Error('What was to be signed was not.');
    return { took, commits };
  } finally {
    await engine.close();
  }
}

async function oneByOne(bench: Bench, isRemote: boolean) {
  const { options } = copyOf(bench, 'alone', isRemote);
  const engines = [await openEngine(options), await openEngine({ ...options, sign: true })] as const;
  const times: readonly [number[], number[]] = [[], []];
  try {
    const asks = await planScopes(engines[0], { count: 2 * ALONE + 2, size: bench.size });
    for (const [number, ask] of asks.entries()) {
      const side = number % 2 === 0 ? 0 : 1;
      const start = performance.now();
      await engines[side].rollbacks.request({ ...ask, author: PERSON });
      // The first of each has cold caches.
      if (number > 1) times[side].push(performance.now() - start);
    }
    return { plain: median(times[0]), signed: median(times[1]) };
  } finally {
    for (const engine of engines) await engine.close();
  }
}
