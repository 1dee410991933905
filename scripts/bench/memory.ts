import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import type { Engine } from '../../engine/internal.ts';
import { enqueueRollback, followRollback, openQueue } from '../../workers/index.ts';
import { withRedis } from '../redis.ts';
import { megabytes, say, unshared, unsharedOfChildren } from './measure.ts';
import { ENVIRONMENTS, serviceName, tenantName } from './repository.ts';
import { type Bench, confirmed } from './rollback.ts';

const BUILT = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/**
 * The memory of one real worker process and the gits that it starts, unshared, over many rollbacks of different services,
 * sampled ten times a second. The largest sample counts.
 */
export async function benchMemory(engine: Engine, bench: Bench, rollbacks: number): Promise<void> {
  if (!existsSync(BUILT))
    throw new Error('`npm run build` first: the worker is measured as it is installed.');
  await withRedis(async ({ url }) => {
    const env = { ...bench.env, REDIS_URL: url, XDG_CACHE_HOME: join(bench.folder, 'cache') };
    const worker = spawn(process.execPath, [BUILT, 'worker'], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const { pid } = worker;
    if (pid === undefined || unshared(pid) === null) {
      worker.kill();
      say('memory of a worker: this system does not tell');
      return;
    }
    let most = { own: 0, children: 0 };
    const sample = () => {
      const now = { own: unshared(pid) ?? 0, children: unsharedOfChildren(pid) };
      if (now.own + now.children > most.own + most.children) most = now;
      return now;
    };
    const sampling = setInterval(sample, 100);
    const queue = await openQueue({ redisUrl: url });
    try {
      let done = 0;
      for (const scope of scopes(bench)) {
        const planned = await engine.plan({ scope }).catch(() => null);
        if (planned === null || planned.plan.files.length === 0) continue;
        const { id } = await engine.requests.open({ ...confirmed(planned), planned });
        const job = { v: 2, requestId: id, repo: engine.location() } as const;
        const { since } = await enqueueRollback(queue, job);
        const { status } = await followRollback(queue, id, { since });
        if (status !== 'completed') throw new Error(`${scope}: ${status}`);
        done += 1;
        if ([1, 10, 100, 300, rollbacks].includes(done)) {
          const { own, children } = sample();
          say(`  after ${done} rollbacks: worker ${megabytes(own)} MB, its gits ${megabytes(children)} MB`);
        }
        if (done === rollbacks) break;
      }
      say(
        `memory of a worker, unshared, the most in ${done} rollbacks: ${megabytes(most.own + most.children)} MB (${megabytes(most.own)} itself, ${megabytes(most.children)} its gits)`,
      );
    } finally {
      clearInterval(sampling);
      await queue.close();
      worker.kill();
      await once(worker, 'exit');
    }
  });
}

/** Every service once, tenant after tenant, so that no two rollbacks read the same files. */
function* scopes({ size }: Bench): Generator<string> {
  for (const environment of [...ENVIRONMENTS].reverse())
    for (let service = 0; service < size.services; service += 1)
      for (let tenant = 0; tenant < size.tenants; tenant += 1)
        yield `${tenantName(tenant)}/${environment}/${serviceName(service)}`;
}
