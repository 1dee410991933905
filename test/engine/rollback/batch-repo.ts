/** A repository of eight services, requests for them, and what is pushed. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, type RequestId, type RollbackResult, isFailure } from '../../../engine/internal.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { createRepo, type Files, type Repo } from '../../helpers/repositories/repo.ts';

const config = (more: object = {}) =>
  `${JSON.stringify({
    version: 1,
    layout: { service: ['apps/{environment}/{service}/**', 'values/{environment}.yaml#/{service}'] },
    keep: [],
    policy: { environments: [{ match: '*', quorum: 0, unsignedRequests: true }] },
    ...more,
  })}\n`;

export const NAMES = Array.from({ length: 8 }, (_, index) => `svc-${String(index).padStart(2, '0')}`);

export const filesAt = (version: string): Files =>
  Object.fromEntries(NAMES.map((name) => [`apps/prod/${name}/app.yaml`, `image: ${version}\n`]));

/** Eight services with a good and a bad revision, published to as a remote. */
export async function stage(files: (version: string) => Files = filesAt, more: object = {}) {
  const repo = await createRepo({ bare: true });
  await repo.replay([
    { files: { '.backtrail/config.yaml': config(more), ...files('v1') } },
    { files: files('v2') },
  ]);
  const engine = await engineOf(repo, { location: `file://${repo.folder}` });
  return { repo, engine };
}

/** Opens all of them at once; gives their ids, in order. */
export async function askAll(engine: Engine, scopes: readonly string[]): Promise<RequestId[]> {
  const asks = [];
  for (const scope of scopes) {
    const { target, digest, base } = await engine.rollbacks.plan({ scope, author: JANE });
    asks.push({ scope, target, digest, base, author: JANE, reason: 'v2 answers 500' });
  }
  const results = await engine.rollbacks.requestMany(asks);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value.requestId;
  });
}

export const log = async (repo: Repo, format: string, range = 'main') =>
  (await repo.git('log', '--reverse', `--format=${format}`, range)).split('\n').filter(Boolean);

/** Counts pushes: each runs the hook once, whatever it moves. */
export async function countPushes(repo: Repo, script = '') {
  const hook = join(repo.gitDir, 'hooks/pre-receive');
  const list = join(repo.gitDir, 'pushes');
  await writeFile(list, '');
  await writeFile(
    hook,
    `#!/bin/sh\nrefs=$(cat)\necho "$refs" | tr '\\n' ' ' >> '${list}'\necho >> '${list}'\n${script}\n`,
    { mode: 0o755 },
  );
  return async () => (await readFile(list, 'utf8')).split('\n').filter((line) => line !== '');
}

/** `completed`, `unchanged`, or the code of what it failed with. */
export const statusOf = (result: PromiseSettledResult<Pick<RollbackResult, 'status'>> | undefined) => {
  if (result?.status === 'fulfilled') return result.value.status;
  return isFailure(result?.reason) ? result.reason.code : String(result?.reason);
};
