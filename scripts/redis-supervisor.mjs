/**
 * Runs one Redis for the process that started it, and never longer: standard input is a pipe from that process, and
 * its end (closed on purpose, or by the kernel after kill -9) stops the server and removes its folder.
 * Plain JavaScript, so that it starts without a loader. Argument: JSON {kind, command, port, config, sentinel}, where
 * config holds more lines for the configuration of a native one. Answer: one JSON line.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const HOST = '127.0.0.1';
const { kind, command, port, config = [], sentinel = false } = JSON.parse(process.argv[2] ?? '{}');
/** @type {() => void} */
let release = () => {};

for (const event of ['end', 'close', 'error']) process.stdin.on(event, stop);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
process.stdout.on('error', stop);
process.stdin.resume();
(kind === 'js-redis-server' ? startScripted() : startNative()).catch((error) => fail(String(error)));

async function startNative() {
  const folder = mkdtempSync(join(tmpdir(), 'backtrail-redis-'));
  release = () => rmSync(folder, { recursive: true, force: true });
  const freePort = await takePort();
  const file = join(folder, 'redis.conf');
  writeFileSync(file, [...nativeSettings(folder, freePort), ...config, ''].join('\n'));
  const server = spawn(command, [file, ...(sentinel ? ['--sentinel'] : [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  release = () => {
    // Nothing is to be saved, so nothing speaks for a gentle end.
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  let log = '';
  const read = (chunk) => {
    if (log === null) return;
    log += chunk;
    // The line of our own child, not an answer on the port: another process may have taken the port meanwhile.
    if (!/Ready to accept connections|Sentinel ID is/.test(log)) return;
    log = null;
    answer({ url: `redis://${HOST}:${freePort}`, pid: server.pid, folder });
  };
  server.stdout.on('data', read);
  server.stderr.on('data', read);
  server.on('error', (error) => fail(`${command}: ${error.message}`));
  server.on('exit', () => fail(`${command} ended: ${(log ?? '').trim().slice(-500)}`));
}

function nativeSettings(folder, freePort) {
  const always = { port: freePort, bind: HOST, 'protected-mode': 'yes', dir: folder, daemonize: 'no' };
  const options = sentinel
    ? always
    : { ...always, save: '""', appendonly: 'no', 'maxmemory-policy': 'noeviction' };
  return Object.entries(options).map(([name, value]) => `${name} ${value}`);
}

/** The port asked for, or one that the kernel says is free. */
function takePort() {
  if (port) return Promise.resolve(port);
  return new Promise((resolve, reject) => {
    const probe = new Server();
    probe.once('error', reject);
    probe.listen(0, HOST, () => {
      const address = probe.address();
      probe.close(() => resolve(address.port));
    });
  });
}

/** The pure JavaScript server has no option for the address and listens on all of them: its calls get the address here. */
async function startScripted() {
  // oxlint-disable-next-line typescript/unbound-method -- called with its server below
  const { listen } = Server.prototype;
  Server.prototype.listen = function listenOnLoopback(wanted, ...rest) {
    const chosen = typeof wanted === 'object' && wanted !== null ? wanted : { port: Number(wanted) };
    return listen.call(this, { ...chosen, host: HOST }, ...rest.filter((each) => typeof each === 'function'));
  };
  const { createRedisServer } = await import('js-redis-server');
  const server = await createRedisServer({ port: port ?? 0 });
  answer({ url: `redis://${HOST}:${server.port}`, pid: process.pid, folder: null });
}

function answer(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function fail(error) {
  answer({ error });
  stop();
}

function stop() {
  release();
  process.exit(0);
}
