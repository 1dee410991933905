/** A code host of a kind, over real git, and a client of it: one for all tests of a `describe`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, beforeEach, expect } from 'vitest';
import { openHost } from '../../../engine/hosts/open.ts';
import type { CodeHost, HostKind, Merging, PullRequest } from '../../../engine/model/index.ts';
import { isFailure } from '../../../engine/model/index.ts';
import { createRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { closeAfterFile } from '../../helpers/run/lifetime.ts';
import { type Host, startHost } from '../../helpers/servers/host/host.ts';
import type { HostSettings } from '../../helpers/servers/host/settings.ts';

export const MERGE_CALL = /^(?:PUT|POST) .*\/merge$/;
export const CREATE_CALL = /^POST .*\/(?:pulls|merge_requests)$/;
export const READ_CALL = /^GET .*\/(?:pulls|merge_requests)\/[0-9]+$/;
export const LIST_CALL = /^GET .*\/(?:pulls|merge_requests)$/;

const SETTINGS = {
  protectedBy: 'protection',
  methods: ['merge', 'rebase', 'squash'],
  projectMerge: 'merge',
  projectSquash: 'default_off',
  requiredChecks: [],
  requiredReviews: 0,
  queue: null,
  mayAdminister: false,
  mayBypass: false,
} satisfies Partial<HostSettings>;

/** Time passes where somebody sleeps, and nowhere else. */
function createClock() {
  const slept: number[] = [];
  let time = Date.parse('2026-11-28T12:00:00Z');
  return {
    slept,
    now: () => time,
    async sleep(milliseconds: number) {
      slept.push(milliseconds);
      time += milliseconds;
    },
  };
}

export const merging = (head: string, of: Partial<Merging> = {}): Merging => ({
  head,
  method: 'merge',
  title: 'Roll web back',
  message: 'Why.\n\nRollback-Request-ID: rbk-1',
  ...of,
});

export interface HostScene {
  repo: Repo;
  server: Host;
  /** Each test has one of its own, and its clock. */
  client: CodeHost;
  clock: ReturnType<typeof createClock>;
  /** One for all tests that change nothing of it. */
  shared: PullRequest;
  /** Of the host; they are what they were when the test ends. */
  change(settings: Partial<HostSettings>): Promise<void>;
  /** Another client. */
  open(answerMs?: number): Promise<CodeHost>;
  /** A branch of ours, with a commit of its own. */
  push(): Promise<{ branch: string; head: string }>;
  commitOn(branch: string): Promise<string>;
  propose(): Promise<PullRequest & { head: string }>;
  /** What it fails with, which never has the token in it. */
  failure(asked: Promise<unknown>): Promise<{ code: string; message: string; details: unknown }>;
  /** Pull requests in the words of the host. */
  plainList(of?: string): Promise<Record<string, unknown>[]>;
  listPath(): string;
}

/** To be called in a `describe`. */
export function useHost(kind: HostKind): HostScene {
  let folder = '';
  let branches = 0;
  let isChanged = false;
  const on: Omit<HostScene, 'repo' | 'server' | 'client' | 'clock' | 'shared'> = {
    async change(settings) {
      isChanged = true;
      await scene.server.change(settings);
    },
    async open(answerMs = 600_000) {
      scene.clock = createClock();
      const opened = await openHost({
        address: scene.server.url,
        naming: { kind: null, repository: null },
        hostsFile: join(folder, 'hosts.yaml'),
        env: {},
        clock: scene.clock,
        answerMs,
      });
      closeAfterFile(() => opened.close());
      return opened;
    },
    async push() {
      branches += 1;
      const branch = `backtrail/rbk-${branches}`;
      const ref = join(scene.repo.gitDir, 'refs/heads', branch);
      await mkdir(dirname(ref), { recursive: true });
      await writeFile(ref, `${await scene.repo.git('rev-parse', 'main')}\n`);
      return { branch, head: await on.commitOn(branch) };
    },
    commitOn: (branch) =>
      scene.server.commitOn(branch, {
        files: { [`apps/${branch.split('/').at(-1)}.yaml`]: `image: ${Math.random()}\n` },
      }),
    async propose() {
      const { branch, head } = await on.push();
      const input = { branch, into: 'main', title: 'Roll back', body: 'Why', labels: [] };
      return { ...(await scene.client.create(input)), head };
    },
    async failure(asked) {
      const error = await asked.then(
        () => null,
        (reason: unknown) => reason,
      );
      if (!isFailure(error)) throw new Error('It does not fail as it should.', { cause: error });
      const { code, message, details } = error;
      expect(`${message} ${JSON.stringify(details)} ${error.stack} ${String(error.cause)}`).not.toContain(
        scene.server.token,
      );
      return { code, message, details };
    },
    async plainList(of = '') {
      const path = kind === 'gitlab' ? 'projects/acme%2Fconfig/merge_requests' : 'repos/acme/config/pulls';
      const answer = await fetch(`${scene.server.api}/${path}${of}?state=all&per_page=100&limit=100`, {
        headers: { authorization: `Bearer ${scene.server.token}` },
      });
      const body: unknown = await answer.json();
      const items: unknown[] = Array.isArray(body) ? body : [body];
      return items.map((item) => Object(item));
    },
    listPath: () =>
      kind === 'gitlab' ? '/projects/acme%2Fconfig/merge_requests' : '/repos/acme/config/pulls',
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rest is there before any test
  const scene = on as HostScene;

  beforeAll(async () => {
    scene.repo = await createRepo({ bare: true });
    await scene.repo.replay([{ files: { 'apps/web.yaml': 'image: a\n' }, message: 'Start' }]);
    scene.server = await startHost({ kind, bare: scene.repo.folder });
    closeAfterFile(() => scene.server.close());
    folder = await temporaryFolder();
    await writeFile(join(folder, 'token'), `${scene.server.token}\n`);
    const entry = `{ kind: ${kind}, api: "${scene.server.api}", token: token }`;
    await writeFile(join(folder, 'hosts.yaml'), `"${scene.server.name}": ${entry}\n`);
    scene.client = await scene.open();
    scene.shared = await scene.propose();
  });
  beforeEach(async () => {
    scene.server.clearFaults();
    if (isChanged) await scene.server.change(SETTINGS);
    isChanged = false;
    scene.client = await scene.open();
    scene.server.calls.splice(0);
  });
  return scene;
}
