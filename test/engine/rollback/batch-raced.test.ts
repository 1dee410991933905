import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type RollbackResult } from '../../../engine/internal.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { countingGit } from '../../helpers/repositories/counting-git.ts';
import { cloneRepo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { NAMES, stage, askAll, countPushes, log, statusOf } from './batch-repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

/** What git is asked between the last look at the branch and each push to it, but for what tidies the mirror meanwhile. */
function windowsOf(asked: readonly string[]): string[][] {
  const windows: string[][] = [];
  let window: string[] = [];
  for (const line of asked) {
    const [command = ''] = line
      .split(' ')
      .filter((word, at, words) => !isOption(word) && words[at - 1] !== '-c');
    if (isLook(command) && line.includes('refs/heads')) window = [];
    else if (command === 'push' && line.includes('refs/heads/main')) windows.push(window);
    else if (!['commit-graph', 'gc', 'for-each-ref'].includes(command)) window.push(command);
  }
  return windows;
}

const isLook = (command: string) => command === 'fetch' || command === 'fetch-pack';
const isOption = (word: string) => word.startsWith('-');

describe('rollbacks that are executed while others push', () => {
  it('settle nothing on top of commits that a hook refuses, and do not bring those to a clone', async () => {
    const { repo } = await stage();
    const clone = await cloneRepo(repo);
    const engine = await engineOf(clone);
    const ids = await askAll(engine, ['prod', 'prod/svc-05']);
    // The environment as a whole is refused; the service, of which nothing would be left to do after it, is not.
    const refuses = `new=$(echo "$refs" | grep refs/heads/main | cut -d' ' -f2)\n[ -z "$new" ] || git show "$new:apps/prod/svc-00/app.yaml" | grep -q v2 || exit 1`;
    await countPushes(repo, refuses);
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(['REMOTE_REJECTED', 'completed']);
    expect(await repo.git('show', 'main:apps/prod/svc-05/app.yaml')).toBe('image: v1');
    const tip = await repo.git('rev-parse', 'main');
    expect(await clone.git('rev-parse', 'main', 'origin/main')).toBe(`${tip}\n${tip}`);
    expect(await clone.git('status', '--porcelain')).toBe('');
  });

  it('keep their plans where a bot moves the branch elsewhere, and plan anew where it moves it here', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(
      engine,
      NAMES.slice(0, 4).map((name) => `prod/${name}`),
    );
    // The bot is faster at the first push, in another service and in one of these.
    const bot = `[ -e '${repo.gitDir}/bot' ] || { touch '${repo.gitDir}/bot'; unset GIT_QUARANTINE_PATH; printf 'commit refs/heads/main\\ncommitter Bot <bot@example.com> 1790000000 +0000\\ndata 4\\nbump\\nfrom refs/heads/main^0\\nM 100644 inline apps/prod/svc-05/app.yaml\\ndata 10\\nimage: v9\\n\\nM 100644 inline apps/prod/svc-02/app.yaml\\ndata 10\\nimage: v9\\n\\ndone\\n' | env -u GIT_OBJECT_DIRECTORY -u GIT_ALTERNATE_OBJECT_DIRECTORIES git --git-dir='${repo.gitDir}' fast-import --quiet --done --force; }`;
    await countPushes(repo, `case "$refs" in *refs/heads/main*) ${bot};; esac`);
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
    expect(ids.map((id) => results.get(id)?.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(await repo.git('show', 'main:apps/prod/svc-05/app.yaml')).toBe('image: v9');
    expect(await repo.git('show', 'main:apps/prod/svc-02/app.yaml')).toBe('image: v9');
    expect(await repo.git('show', 'main:apps/prod/svc-03/app.yaml')).toBe('image: v1');
  });

  it.runIf(isProof)(
    'that took long to plan are moved to where the branch is by then, before they are pushed',
    async () => {
      const { repo, engine: asking } = await stage();
      const ids = await askAll(asking, ['prod/svc-00', 'prod/svc-01']);
      const { path, asked } = await countingGit(repo);
      let now = Date.now();
      const engine = await engineOf(
        { ...repo, env: { ...repo.env, PATH: path } },
        { location: `file://${repo.folder}`, clock: { now: () => now, sleep: () => Promise.resolve() } },
      );
      let planned = 0;
      const onStep = async ({ step }: { step: string }) => {
        if (step !== 'planned' || (planned += 1) > 1) return;
        now += 1000;
        await repo.replay([{ files: { 'apps/prod/svc-05/app.yaml': 'image: v9\n' } }]);
      };
      const results = await engine.requests.executeRequests(ids.map((id) => ({ id, onStep })));
      expect(ids.map((id) => statusOf(results.get(id)))).toEqual(['completed', 'completed']);
      expect(planned).toBe(2);
      expect(windowsOf(await asked())).toHaveLength(1);
      expect(await repo.git('show', 'main:apps/prod/svc-05/app.yaml')).toBe('image: v9');
    },
  );

  it.runIf(isProof)(
    'are published in parts where planning all of them takes long, and each is planned once',
    async () => {
      const { repo, engine: asking } = await stage();
      const ids = await askAll(
        asking,
        NAMES.slice(0, 5).map((name) => `prod/${name}`),
      );
      const pushes = await countPushes(repo);
      let now = Date.now();
      const engine = await engineOf(repo, {
        location: `file://${repo.folder}`,
        clock: { now: () => now, sleep: () => Promise.resolve() },
      });
      const planned: string[] = [];
      const asks = ids.map((id) => ({
        id,
        onStep: ({ step }: { step: string }) => {
          if (step === 'planned') planned.push(id);
          if (step === 'planned') now += 6000;
          return Promise.resolve();
        },
      }));
      const results = await engine.requests.executeRequests(asks);
      expect(ids.map((id) => statusOf(results.get(id)))).toEqual(ids.map(() => 'completed'));
      expect(planned).toEqual(ids);
      expect(await log(repo, '%(trailers:key=Rollback-Request-ID,valueonly)')).toEqual(ids);
      expect(await pushes()).toHaveLength(3);
    },
  );

  it('stay together where a bot is faster again and again, and go without the record then, which follows', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(
      engine,
      NAMES.slice(0, 4).map((name) => `prod/${name}`),
    );
    const bot = `printf 'commit refs/heads/main\\ncommitter Bot <bot@example.com> 1790000000 +0000\\ndata 4\\nbump\\nfrom refs/heads/main^0\\nM 100644 inline other\\ndata %s\\n%s\\ndone\\n' "$(printf $n | wc -c)" $n | env -u GIT_QUARANTINE_PATH -u GIT_OBJECT_DIRECTORY -u GIT_ALTERNATE_OBJECT_DIRECTORIES git --git-dir='${repo.gitDir}' fast-import --quiet --done --force`;
    const pushes = await countPushes(
      repo,
      `n=$(grep -c refs/heads/main '${repo.gitDir}/pushes'); case "$refs" in *refs/heads/main*) [ $n -gt 4 ] || { ${bot}; };; esac`,
    );
    const { path, asked } = await countingGit(repo);
    const env = { ...repo.env, PATH: path };
    const counted = await engineOf({ ...repo, env }, { location: `file://${repo.folder}` });
    const results = await counted.requests.executeRequests(ids.map((id) => ({ id })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(ids.map(() => 'completed'));
    // The bot can be faster only between the look at the branch and the push.
    const windows = windowsOf(await asked()).slice(1);
    expect(windows).toHaveLength(4);
    for (const window of windows) expect(window.filter(isLook)).toEqual([]);
    // What writes is started beside the look, and the two that read at the same time.
    const read = windows.map((window) => window.filter((command) => command !== 'fast-import').toSorted());
    expect(read).toEqual(windows.map(() => ['diff-tree', 'log']));
    const made = await pushes();
    const ofBranch = made.filter((push) => push.includes('refs/heads/main'));
    expect(ofBranch).toHaveLength(5);
    expect(ofBranch.map((push) => push.includes('refs/backtrail/ledger'))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    for (const id of ids) expect(await engine.requests.show({ id })).toMatchObject({ status: 'completed' });
  });

  it.runIf(isProof)(
    'have only their record written anew where another writer was faster in the ledger',
    async () => {
      const { repo, engine } = await stage();
      const ids = await askAll(
        engine,
        NAMES.slice(0, 4).map((name) => `prod/${name}`),
      );
      const faster = `[ -e '${repo.gitDir}/faster' ] || { touch '${repo.gitDir}/faster'; unset GIT_QUARANTINE_PATH; printf 'commit refs/backtrail/ledger\\ncommitter Bob <bob@example.com> 1790000000 +0000\\ndata 4\\nnote\\nfrom refs/backtrail/ledger^0\\n\\ndone\\n' | env -u GIT_OBJECT_DIRECTORY -u GIT_ALTERNATE_OBJECT_DIRECTORIES git --git-dir='${repo.gitDir}' fast-import --quiet --done --force; }`;
      const pushes = await countPushes(repo, `case "$refs" in *refs/heads/main*) ${faster};; esac`);
      const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
      expect(ids.map((id) => statusOf(results.get(id)))).toEqual(ids.map(() => 'completed'));
      const tips = (await pushes()).map((line) => / (\w+) refs\/heads\/main/.exec(line)?.[1]);
      expect(tips).toEqual([tips[0], tips[0]]);
      expect(await repo.git('rev-list', '--count', 'refs/backtrail/ledger')).toBe('3');
    },
  );

  it.runIf(isProof)(
    'that the branch holds already are reported, and recorded together where their record was lost',
    async () => {
      const { repo, engine } = await stage();
      const scopes = NAMES.slice(0, 5).map((name) => `prod/${name}`);
      const ids = await askAll(engine, scopes);
      await countPushes(repo, 'case "$refs" in *refs/backtrail/ledger*) exit 1;; esac');
      const first = await engine.requests.executeRequests(ids.slice(0, 4).map((id) => ({ id })));
      const pushes = await countPushes(repo);
      const again = await engineOf(repo, { location: `file://${repo.folder}` });
      const turns: string[] = [];
      const turn = () => Promise.resolve(void turns.push('turn'));
      const results = await again.requests.executeRequests(
        ids.map((id) => ({ id })),
        { turn },
      );
      const commitOf = (each: PromiseSettledResult<RollbackResult> | undefined) =>
        each?.status === 'fulfilled' ? each.value.commit : null;
      for (const id of ids.slice(0, 4)) {
        expect(commitOf(first.get(id))).not.toBeNull();
        expect(commitOf(results.get(id))).toBe(commitOf(first.get(id)));
      }
      // The fifth, and then the record of the four.
      expect(await pushes()).toHaveLength(2);
      expect(turns).toHaveLength(1);
      expect(await repo.git('rev-list', '--count', 'main')).toBe('7');
      const views = await again.requests.list({ reader: JANE });
      expect(views.map(({ status }) => status)).toEqual(ids.map(() => 'completed'));
    },
  );

  it.runIf(isProof)('land but for the one at which git itself fails', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(
      engine,
      NAMES.map((name) => `prod/${name}`),
    );
    const folder = await temporaryFolder();
    const path = repo.env['PATH'] ?? '';
    // The stream of commits ends where it comes to this service.
    const script = `#!/bin/sh\nPATH='${path}'\ncase " $* " in *" fast-import "*) sed -u '/svc-03/q' | git "$@"; exit $?;; esac\nexec git "$@"\n`;
    await writeFile(join(folder, 'git'), script, { mode: 0o755 });
    const location = `file://${repo.folder}`;
    const broken = await engineOf(repo, { location, env: { PATH: `${folder}:${path}` } });
    const results = await broken.requests.executeRequests(ids.map((id) => ({ id })));
    const statuses = ids.map((id) => statusOf(results.get(id)));
    expect(statuses).toEqual(NAMES.map((name) => (name === 'svc-03' ? 'GIT_FAILED' : 'completed')));
  });
});
