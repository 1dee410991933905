/** Several real servers that belong together, on the loopback address; all of them end with the test file. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll } from 'vitest';
import type { RunningRedis } from '../../../scripts/redis.ts';
import { hasNativeRedis, startTestRedis } from './redis.ts';
import { temporaryFolder } from '../repositories/repo.ts';

const NATIVE = ['redis-server', 'valkey-server'] as const;
const HOST = '127.0.0.1';

export const needsServer = hasNativeRedis ? '' : ' (skipped: redis-server is not installed)';
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** Starts servers with these lines in their configuration. */
export function useServers() {
  const servers: RunningRedis[] = [];
  afterAll(() => Promise.all(servers.splice(0).map((server) => server.stop())));
  return async (config: readonly string[], options: { sentinel?: boolean } = {}): Promise<RunningRedis> => {
    const server = await startTestRedis({ ...options, config, only: NATIVE });
    servers.push(server);
    return server;
  };
}

type Start = ReturnType<typeof useServers>;
const portOf = ({ url }: RunningRedis) => Number(new URL(url).port);

/** A port that the kernel says is free; a cluster's nodes talk to each other on one of their own. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, HOST, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

/** Three primaries, each with a third of the slots, and the password `hunter2`; resolves once all of them agree. */
export async function startCluster(start: Start, more: (index: number) => readonly string[] = () => []) {
  const buses = await Promise.all([freePort(), freePort(), freePort()]);
  const settings = (bus: number, index: number) => [
    'cluster-enabled yes',
    `cluster-port ${bus}`,
    'requirepass hunter2',
    ...more(index),
  ];
  const servers = await Promise.all(buses.map((bus, index) => start(settings(bus, index))));
  const clients = servers.map(({ url }) => new Redis(url, { password: 'hunter2' }));
  const ends = [0, 5461, 10_923, 16_384];
  try {
    for (const [index, client] of clients.entries()) {
      await client.call('CLUSTER', 'ADDSLOTSRANGE', ends[index] ?? 0, (ends[index + 1] ?? 0) - 1);
      const [first] = servers;
      if (first && index > 0) await client.call('CLUSTER', 'MEET', HOST, portOf(first), buses[0] ?? 0);
    }
    for (const client of clients)
      while (
        !/cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(String(await client.call('CLUSTER', 'INFO')))
      )
        await new Promise((resolve) => setTimeout(resolve, 50));
  } finally {
    for (const client of clients) client.disconnect();
  }
  return { hosts: servers.map((server) => `${HOST}:${portOf(server)}`).join(',') };
}

/** A primary with a replica, and a Sentinel that puts the replica in its place soon after it is gone. */
export async function startSentinel(start: Start, group: string) {
  const primary = await start([]);
  const replica = await start([`replicaof ${HOST} ${portOf(primary)}`, 'repl-diskless-sync-delay 0']);
  const client = new Redis(replica.url);
  try {
    while (!(await client.info('replication')).includes('master_link_status:up'))
      await new Promise((resolve) => setTimeout(resolve, 50));
  } finally {
    client.disconnect();
  }
  const watch = `sentinel monitor ${group} ${HOST} ${portOf(primary)} 1`;
  const soon = [`sentinel down-after-milliseconds ${group} 1000`, `sentinel failover-timeout ${group} 5000`];
  const sentinel = await start([watch, ...soon], { sentinel: true });
  const asked = new Redis(sentinel.url);
  try {
    while (!JSON.stringify(await asked.call('SENTINEL', 'REPLICAS', group)).includes(String(portOf(replica))))
      await new Promise((resolve) => setTimeout(resolve, 50));
  } finally {
    asked.disconnect();
  }
  return { primary, replica, hosts: `${HOST}:${portOf(sentinel)}` };
}

/** Lines for a server that speaks TLS on another port, with a certificate of an authority that no system knows. */
export async function privateAuthority(): Promise<{ authority: string; config: (port: number) => string[] }> {
  const folder = await temporaryFolder();
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = (name: string) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${name}.key`,
  ];
  openssl('req', '-x509', ...key('ca'), '-out', 'ca.crt', '-days', '2', '-subj', '/CN=Test authority');
  openssl(
    'req',
    '-new',
    ...key('server'),
    '-out',
    'server.csr',
    '-subj',
    '/CN=redis',
    '-addext',
    `subjectAltName=IP:${HOST}`,
  );
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy'];
  openssl('x509', '-req', '-in', 'server.csr', ...signed, '-out', 'server.crt', '-days', '2');
  const file = (name: string) => join(folder, name);
  const config = (port: number) => [
    `tls-port ${port}`,
    `tls-cert-file ${file('server.crt')}`,
    `tls-key-file ${file('server.key')}`,
    `tls-ca-cert-file ${file('ca.crt')}`,
    'tls-auth-clients no',
  ];
  return { authority: file('ca.crt'), config };
}
