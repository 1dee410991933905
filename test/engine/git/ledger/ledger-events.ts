import { dirname } from 'node:path';
import { expect } from 'vitest';
import type { NewEvent } from '../../../../engine/model/index.ts';
import { openPlace } from '../../../../engine/git/open.ts';
import type { GitRepository } from '../../../../engine/git/open.ts';
import { isFailure, MODE } from '../../../../engine/model/index.ts';
import { serveGit } from '../../../helpers/servers/git-http.ts';
import type { Fate } from '../../../helpers/servers/git-http.ts';
import { closeAfterTest } from '../../../helpers/run/lifetime.ts';
import { cloneRepo, createRepo, temporaryFolder } from '../../../helpers/repositories/repo.ts';
import type { Repo } from '../../../helpers/repositories/repo.ts';
import { PERSON, SERVICE } from '../open.ts';

export const REF = 'refs/backtrail/ledger';
export const TIME = '2026-03-04T05:06:07Z';

let made = 0;

/** How many events there are by now. */
export const eventCount = () => made;

/** A file of its own; `Event N` is its message. */
export function event(more: Partial<NewEvent> = {}): NewEvent {
  made += 1;
  const content = Buffer.from(`{ "event": ${made} }\n`);
  const writes = [{ path: `requests/${made}.json`, after: { mode: MODE.file, id: '', content } }];
  return { author: PERSON, time: TIME, message: `Event ${made}\n`, writes, sign: false, ...more };
}

export const append = (
  git: GitRepository,
  parent: string | null,
  events: readonly NewEvent[] = [event()],
  ref = REF,
) => git.ledger.append({ ref, parent, events, committer: SERVICE });

/** As a client does it: reads, appends, and does both again when another person was first. */
export async function appendSurely(git: GitRepository, added: NewEvent): Promise<void> {
  for (;;)
    try {
      await append(git, await git.ledger.tip(REF), [added]);
      return;
    } catch (error) {
      if (!isFailure(error) || !/^(BRANCH_MOVED|REPOSITORY_LOCKED)$/.test(error.code)) throw error;
    }
}

export const staged = (repo: Repo) => repo.git('for-each-ref', 'refs/backtrail/staging');

/** A bare repository with one commit on main. */
export async function remote(): Promise<Repo> {
  const repo = await createRepo({ bare: true });
  await repo.replay([{ files: { a: '1' } }]);
  return repo;
}

/** Its address over http. */
export async function serve(
  repo: Repo,
  fate?: (request: { method: string; url: string }) => Fate | Promise<Fate>,
): Promise<string> {
  await repo.git('config', 'http.receivepack', 'true');
  const server = await serveGit({ root: dirname(repo.folder), env: repo.env, ...(fate && { fate }) });
  closeAfterTest(() => server.close());
  return `${server.url}/repo`;
}

/** Opens a clone; `alone` as the repository that it is, else through its upstream. */
export async function openClone(
  clone: Pick<Repo, 'folder' | 'env'>,
  { alone = false } = {},
): Promise<GitRepository> {
  const cacheFolder = await temporaryFolder();
  const place = await openPlace({ location: clone.folder, env: clone.env, cacheFolder, timeoutMs: 30_000 });
  const git = alone ? place.git : await place.throughUpstream('main');
  closeAfterTest(() => git.close());
  expect(git.kind).toBe(alone ? 'local' : 'clone');
  return git;
}

export const cloneOf = async (repo: Repo, env = repo.env): Promise<Repo> => ({
  ...(await cloneRepo(repo)),
  env,
});
