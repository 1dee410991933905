/** The state of the queue, for `doctor`. Nothing here blocks: without a queue, rollbacks run in the process that asks. */
import { type Check, isFailure } from '../engine/model/index.ts';
import { mayServe } from './client-name.ts';
import { ask, openQueue, type RollbackQueue } from './queue.ts';

type Said = Omit<Check, 'area' | 'name' | 'status'>;

const queueCheck = (name: string, status: Check['status'], said: Said): Check => ({
  area: 'queue',
  name,
  status,
  ...said,
});

/** `repo`: the repository as rollbacks of it name it; null where that is not known. */
export async function checkQueue({
  redisUrl,
  repo,
}: {
  redisUrl: string;
  repo: string | null;
}): Promise<Check[]> {
  let queue: RollbackQueue | null = null;
  try {
    queue = await openQueue({ redisUrl });
    const open = queue;
    return await ask(open, () => lookInto(open, repo));
  } catch (error) {
    if (!isFailure(error)) throw error;
    const { message, hint, code } = error;
    return [queueCheck('queue', 'warn', { message, hint, details: { code } })];
  } finally {
    await queue?.close();
  }
}

async function lookInto(queue: RollbackQueue, repo: string | null): Promise<Check[]> {
  const info = await readInfo(queue);
  return [
    checkServer(queue, info),
    ...checkMemory(info),
    ...checkPersistence(info),
    await checkJobs(queue),
    ...(await checkWorkers(queue, repo)),
  ];
}

type Info = ReadonlyMap<string, string>;

/** A managed Redis may refuse to answer; unknown values are not reported. */
async function readInfo({ redis }: RollbackQueue): Promise<Info> {
  const text = await redis.info().catch(() => '');
  return new Map(text.split(/\r?\n/).map((line) => [line.replace(/:.*/s, ''), line.replace(/^[^:]*:/, '')]));
}

/** BullMQ recommends 6.2 or later. */
const OLDEST = [6, 2] as const;

function checkServer({ address }: RollbackQueue, info: Info): Check {
  const version = info.get('redis_version');
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  const details = { address, ...(version !== undefined && { version }) };
  if (version === undefined || major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]))
    return queueCheck('queue', 'ok', {
      message: `Redis${version === undefined ? '' : ` ${version}`} answers at ${address}.`,
      details,
    });
  return queueCheck('queue', 'warn', {
    message: `Redis at ${address} is ${version}, which is too old for the queue.`,
    hint: `Use Redis ${OLDEST.join('.')} or later, or Valkey.`,
    details,
  });
}

function checkMemory(info: Info): Check[] {
  const policy = info.get('maxmemory_policy');
  if (policy === undefined) return [];
  if (policy === 'noeviction')
    return [
      queueCheck('queue-memory', 'ok', {
        message: 'Redis throws no waiting rollback away when its memory is full.',
      }),
    ];
  return [
    queueCheck('queue-memory', 'warn', {
      message: `Redis may throw waiting rollbacks away when its memory is full (maxmemory-policy ${policy}).`,
      hint: 'redis-cli CONFIG SET maxmemory-policy noeviction',
      details: { policy },
    }),
  ];
}

function checkPersistence(info: Info): Check[] {
  const aof = info.get('aof_enabled');
  if (aof === undefined) return [];
  const failing = info.get('rdb_last_bgsave_status') === 'err' || info.get('aof_last_write_status') === 'err';
  const details = { appendOnly: aof === '1', failing };
  if (failing)
    return [
      queueCheck('queue-persistence', 'warn', {
        message: 'Redis cannot write to its disk, and may refuse new rollbacks.',
        hint: 'Look at the log of Redis, and give it space or rights.',
        details,
      }),
    ];
  const message =
    aof === '1'
      ? 'Redis writes waiting rollbacks to its disk at once (appendonly).'
      : 'Redis may forget the newest waiting rollbacks when it is restarted (no appendonly): the branch says what was done.';
  return [queueCheck('queue-persistence', 'ok', { message, details })];
}

async function checkJobs({ jobs }: RollbackQueue): Promise<Check> {
  const counts = await jobs.getJobCounts('waiting', 'active', 'delayed', 'failed');
  const { waiting = 0, active = 0, delayed = 0, failed = 0 } = counts;
  const said = `${waiting} waiting, ${active} active, ${delayed} to be tried again, ${failed} failed in the last seven days`;
  const details = { waiting, active, delayed, failed };
  if (failed === 0)
    return queueCheck('queue-jobs', 'ok', { message: `Rollbacks in the queue: ${said}.`, details });
  const [last] = await jobs.getFailed(0, 0);
  return queueCheck('queue-jobs', 'warn', {
    message: `Rollbacks in the queue: ${said}.`,
    hint: `The log of the worker says why${last?.id === undefined ? '' : ` (search for ${last.id})`}; asking again with the same command tries again.`,
    details,
  });
}

async function checkWorkers({ jobs }: RollbackQueue, repo: string | null): Promise<Check[]> {
  // Not reported if Redis cannot list its clients.
  const workers = await jobs.getWorkers().catch(() => null);
  if (workers === null) return [];
  const serving = workers.filter(({ rawname = '' }) => repo === null || mayServe(rawname, repo));
  const others = workers.length - serving.length;
  const elsewhere = others > 0 ? `; ${others} ${others === 1 ? 'serves' : 'serve'} other repositories` : '';
  const details = { serving: serving.length, others };
  if (serving.length > 0)
    return [
      queueCheck('workers', 'ok', {
        message: `${serving.length} ${serving.length === 1 ? 'worker listens' : 'workers listen'}${elsewhere}.`,
        details,
      }),
    ];
  return [
    queueCheck('workers', 'warn', {
      message: `No worker listens for this repository${elsewhere}: what is queued waits.`,
      hint: 'Start one: backtrail worker',
      details,
    }),
  ];
}
