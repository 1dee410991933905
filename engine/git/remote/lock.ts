import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { BacktrailError } from '../../model/index.ts';

/** Milliseconds. A holder touches the file at each beat; after so much silence, or when its process of this host has ended, the lock is stale. */
const BEAT_MS = 5_000;
const SILENCE_MS = 60_000;
const POLL_MS = 50;
/** Milliseconds. A lock names its owner right after it is created; one without an owner for so long belongs to a killed process. */
const NAMELESS_MS = 2_000;
/** Milliseconds. Process ids are reused, in a container always the same: after so much silence the id belongs to another process. */
const REUSED_MS = 6 * 3_600_000;

interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly token: string;
  /** When the process began, in the system's own unit, where the system tells. */
  readonly started?: string;
}

function ownerHere(): Owner {
  const started = processState(process.pid)?.started;
  return { pid: process.pid, host: hostname(), token: randomUUID(), ...(started && { started }) };
}

/**
 * Runs `use` while holding the lock file, exclusively in this process and among processes. Takes over a stale lock.
 * @throws REPOSITORY_LOCKED when it is not free within `waitMs`
 */
export async function withLock<Value>(
  file: string,
  options: { readonly waitMs: number; readonly signal: AbortSignal },
  use: () => Promise<Value>,
): Promise<Value> {
  const owner = ownerHere();
  await acquire(file, owner, options);
  const beat = setInterval(() => void touch(file), BEAT_MS);
  beat.unref();
  try {
    return await use();
  } finally {
    clearInterval(beat);
    if ((await readOwner(file))?.token === owner.token) await rm(file, { force: true });
  }
}

/** Marks something as used by this process, until the function that is returned is called. */
export async function claim(file: string): Promise<() => Promise<void>> {
  await create(file, ownerHere());
  const beat = setInterval(() => void touch(file), BEAT_MS);
  beat.unref();
  return async () => {
    clearInterval(beat);
    await rm(file, { force: true });
  };
}

/** A slow or stopped process of this host keeps its claim; of one on another host only silence is known. */
export async function isClaimed(file: string): Promise<boolean> {
  const owner = await readOwner(file);
  const found = await stat(file).catch(() => null);
  if (found === null) return false;
  const silence = Date.now() - found.mtimeMs;
  return owner?.host === hostname() ? silence <= REUSED_MS && isAlive(owner) : silence <= SILENCE_MS;
}

async function acquire(
  file: string,
  owner: Owner,
  { waitMs, signal }: { waitMs: number; signal: AbortSignal },
): Promise<void> {
  const until = performance.now() + waitMs;
  while (!(await create(file, owner))) {
    if (signal.aborted) throw new BacktrailError('GIT_FAILED', 'The repository was closed.');
    if (await isStale(file)) await takeAway(file, owner);
    else if (performance.now() > until)
      throw new BacktrailError('REPOSITORY_LOCKED', `Another process holds ${file}.`, {
        details: { lock: file },
      });
    else await sleep(POLL_MS);
  }
}

async function create(file: string, owner: Owner): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(JSON.stringify(owner));
    } catch (error) {
      // A full disk must not leave a lock without an owner.
      await rm(file, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** A second lock guards the removal, after another check: of two processes that saw the lock stale only one removes it. */
async function takeAway(file: string, owner: Owner): Promise<void> {
  const guard = `${file}.takeover`;
  if (!(await create(guard, owner))) {
    if ((await age(guard)) > SILENCE_MS) await rm(guard, { force: true });
    else await sleep(POLL_MS);
    return;
  }
  try {
    if (await isStale(file)) await rm(file, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

async function isStale(file: string): Promise<boolean> {
  const old = await age(file);
  if (old > SILENCE_MS) return true;
  const owner = await readOwner(file);
  if (owner === null) return old > NAMELESS_MS;
  return owner.host === hostname() && !isAlive(owner);
}

/** Milliseconds since the last beat; 0 where there is no such file. */
async function age(file: string): Promise<number> {
  const found = await stat(file).catch(() => null);
  return found === null ? 0 : Date.now() - found.mtimeMs;
}

/**
 * A process that ended and that its parent has not asked about still has its id (a zombie), and so has another one that
 * got the id after it: in a container that was started again, the first process always does.
 */
function isAlive({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const found = processState(pid);
  if (found === null) return true;
  return !/[ZX]/.test(found.state) && (started === undefined || started === found.started);
}

/** From Linux' /proc/PID/stat (proc(5)), whose second field may hold blanks and brackets; null elsewhere. */
function processState(pid: number): { state: string; started: string } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', started: fields[19] ?? '' };
  } catch {
    return null;
  }
}

async function readOwner(file: string): Promise<Owner | null> {
  try {
    const owner: unknown = JSON.parse(await readFile(file, 'utf8'));
    return isOwner(owner) ? owner : null;
  } catch {
    // Gone, or being written at this moment.
    return null;
  }
}

function isOwner(value: unknown): value is Owner {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('host' in value)) return false;
  return Number.isSafeInteger(value.pid) && typeof value.host === 'string' && 'token' in value;
}

async function touch(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now).catch(() => undefined);
}
