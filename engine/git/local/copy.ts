import { pipeline } from 'node:stream/promises';
import { BacktrailError } from '../../model/index.ts';
import type { ObjectId } from '../../model/index.ts';
import { gitFailure } from '../process/failure.ts';
import type { Runner } from '../process/runner.ts';
import type { NativeObjects } from '../store/objects.ts';
import { notStarted, terminate } from '../process/spawn.ts';
import type { Child } from '../process/spawn.ts';

/**
 * Objects from one repository of this machine to another, without any transport: nothing in the configuration of either
 * has a say, and the reader computes every object's id itself. Moves no ref.
 */
export async function copyObjects(call: {
  readonly from: Runner;
  readonly to: Runner;
  readonly wanted: readonly ObjectId[];
  /** What `to` has already. */
  readonly known: readonly ObjectId[];
  readonly timeoutMs: number;
}): Promise<void> {
  const { from, to, wanted, known, timeoutMs } = call;
  const packer = from.start(PACK);
  const reader = to.start(READ);
  const stop = () => [packer, reader].forEach(terminate);
  const late = AbortSignal.timeout(timeoutMs);
  const reasons = [late, from.signal, to.signal];
  for (const reason of reasons) reason.addEventListener('abort', stop, { once: true });
  packer.stdin.end([...wanted, ...known.map((id) => `^${id}`), ''].join('\n'));
  reader.stdout.resume();
  try {
    // The exit codes say more than a pipe that broke.
    const piped = pipeline(packer.stdout, reader.stdin).catch(() => undefined);
    const [packed, read] = await Promise.all([ended(packer), ended(reader), piped]);
    if (late.aborted) throw new BacktrailError('GIT_TIMEOUT', 'Copying objects took too long.');
    if (packed.code !== 0) throw gitFailure({ args: PACK, ...packed });
    if (read.code !== 0) throw gitFailure({ args: READ, ...read });
  } finally {
    for (const reason of reasons) reason.removeEventListener('abort', stop);
    stop();
  }
}

// Bitmaps would leave out old objects that a partial clone does not have.
const PACK = [
  'pack-objects',
  '--revs',
  '--stdout',
  '--quiet',
  '--delta-base-offset',
  '--no-use-bitmap-index',
];
const READ = ['-c', 'core.fsync=all', 'index-pack', '--stdin'];

function ended(child: Child): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve, reject) => {
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = `${stderr}${text}`.slice(-65_536);
    });
    child.on('error', (error) => reject(notStarted(error)));
    child.on('close', (code) => resolve({ code: code ?? 128, stderr }));
  });
}

export async function hasObject({ objects }: { objects: NativeObjects }, id: ObjectId): Promise<boolean> {
  return (await objects.type(id)) !== null;
}

/** Is the commit whole: does it lack nothing that its refs do not have either? */
export async function isConnected(runner: Runner, id: ObjectId): Promise<boolean> {
  const args = ['rev-list', '--objects', '--quiet', id, '--not', '--all'];
  const { code } = await runner.run(args, { okCodes: [0, 1, 128] });
  return code === 0;
}
