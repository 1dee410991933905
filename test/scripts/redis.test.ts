import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compiled } from '../helpers/program/compiled.ts';
import { findServer, startRedis, withRedis } from '../../scripts/redis.ts';
import type { LocalKind } from '../../scripts/redis.ts';
import { hasNativeRedis } from '../helpers/servers/redis.ts';
import { SOON } from '../helpers/run/soon.ts';

const native: LocalKind =
  findServer('redis-server') === null && findServer('valkey-server') !== null
    ? 'valkey-server'
    : 'redis-server';
const hasProc = existsSync('/proc/self/fd');

describe('which Redis', () => {
  it('takes the one that REDIS_URL names and leaves it alone', async () => {
    const redis = await startRedis({ env: { REDIS_URL: 'redis://127.0.0.1:1' } });
    expect(redis).toMatchObject({ kind: 'REDIS_URL', url: 'redis://127.0.0.1:1' });
    await redis.stop();
  });

  it('falls back to the JavaScript server where PATH holds no other', async () => {
    await withRedis(
      async ({ kind, url }) => {
        expect(kind).toBe('js-redis-server');
        expect(await ping(url)).toBe('PONG');
      },
      { env: { PATH: '/nonexistent' } },
    );
  });

  it('goes on to the next one when the server on PATH does not start', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'backtrail-path-'));
    writeFileSync(join(folder, 'redis-server'), '#!/bin/sh\necho out of order >&2\nexit 1\n', {
      mode: 0o755,
    });
    try {
      const env = { PATH: folder };
      await withRedis(({ kind }) => Promise.resolve(expect(kind).toBe('js-redis-server')), { env });
      await expect(startRedis({ only: ['redis-server'], env })).rejects.toThrow(/out of order/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says what to install where there is none', async () => {
    await expect(startRedis({ only: ['valkey-server'], env: { PATH: '' } })).rejects.toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      hint: expect.stringContaining('apt-get install redis-server') as unknown,
    });
  });
});

for (const kind of [native, 'js-redis-server'] as const) {
  const runs = kind === 'js-redis-server' || hasNativeRedis;
  describe.skipIf(!runs)(`${kind}, where it is installed`, () => {
    it.skipIf(!hasProc)('listens on the loopback address only, on a port of its own', async () => {
      await withRedis(
        async ({ url, pid }) => {
          expect(await ping(url)).toBe('PONG');
          const addresses = listeningAddresses(pid ?? 0);
          expect(addresses).toEqual([`0100007F:${hexPort(url)}`]);
        },
        { only: [kind] },
      );
    });

    it('is gone after stop, with its folder', async () => {
      const { pid, folder, stop } = await startRedis({ only: [kind] });
      expect(isAlive(pid ?? 0)).toBe(true);
      await stop();
      expect(isAlive(pid ?? 0)).toBe(false);
      expect(folder !== undefined && existsSync(folder)).toBe(false);
    });

    it('is gone within seconds after kill -9 of the process that started it, with its folder', async () => {
      const parent = spawnParent(kind);
      const { pid, folder } = await parent.answer;
      expect(isAlive(pid)).toBe(true);
      parent.child.kill('SIGKILL');
      await once(parent.child, 'exit');
      await until(() => !isAlive(pid) && (folder === undefined || !existsSync(folder)), SOON);
      expect(isAlive(pid)).toBe(false);
      expect(folder !== undefined && existsSync(folder)).toBe(false);
    });

    it('does not keep a script alive that forgot to stop it', async () => {
      const parent = spawnParent(kind, 'forget');
      const { pid } = await parent.answer;
      expect(await once(parent.child, 'exit')).toEqual([0, null]);
      await until(() => !isAlive(pid), SOON);
      expect(isAlive(pid)).toBe(false);
    });
  });
}

async function ping(url: string): Promise<string> {
  const client = new Redis(url);
  try {
    return await client.ping();
  } finally {
    client.disconnect();
  }
}

const hexPort = (url: string) => Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0');

/** Local addresses, as /proc/net/tcp writes them, of the process's listening sockets. */
function listeningAddresses(pid: number): string[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => /socket:\[(\d+)\]/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1]),
  );
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(1)
      .map((row) => row.trim().split(/\s+/)),
  );
  return rows.filter((row) => row[3] === '0A' && sockets.has(row[9])).map((row) => row[1] ?? '');
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie has ended; only its parent has not asked yet.
    return !hasProc || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function until(done: () => boolean, milliseconds: number): Promise<void> {
  for (const end = Date.now() + milliseconds; !done() && Date.now() < end; ) await sleep(25);
}

function spawnParent(kind: LocalKind, then: 'stay' | 'forget' = 'stay') {
  const child = spawn(process.execPath, [compiled('test/helpers/servers/redis-parent.ts'), kind, then], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const answer = (async () => {
    for await (const line of createInterface({ input: child.stdout }))
      return z.object({ pid: z.number(), folder: z.string().optional() }).parse(JSON.parse(line));
    throw new Error('The parent said nothing.');
  })();
  return { child, answer };
}
