/** A server with a worker in its process, in front of the example repository, and two people with tokens. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFixturesRepo } from '../build-fixtures-repo.ts';
import { say } from '../narrate.ts';
import { allowedSigners, makeSomebody, type Somebody } from '../people.ts';
import { LOCAL_KINDS, withRedis } from '../redis.ts';
import { claim, MAIN } from './run.ts';

const POLICY = `policy:
  environments:
    - { match: "*/production", quorum: 1, approvers: { groups: [sre] }, breakGlass: { allowed: true, longest: 1h } }
  groups: { sre: [jane@example.com, bob@example.com] }
`;

/** What the tour itself does to the repository between calls. */
export interface Scene {
  /** A temporary folder that is removed at the end. */
  readonly folder: string;
  readonly remote: string;
  readonly clone: string;
  readonly owner: Somebody;
}

export interface Served {
  readonly url: string;
  readonly tokens: Readonly<Record<'JANE' | 'BOB', string>>;
  /** The repository as the server names it. */
  readonly location: string;
  /** Of the server's process: what a command of the same machine runs with. */
  readonly env: NodeJS.ProcessEnv;
  readonly redisUrl: string;
  /** The folder that `--state` names. */
  readonly state: string;
}

/** Runs a tour, says how it ended, and leaves nothing behind. */
export async function onTour(
  name: string,
  { run, done }: { readonly run: (start: Start) => Promise<void>; readonly done: string },
): Promise<void> {
  const started = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'backtrail-tour-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
  try {
    await withRedis(({ url: redisUrl }) => run({ folder, redisUrl }), { only: LOCAL_KINDS });
    say(`\n${done} Done in ${((Date.now() - started) / 1000).toFixed(0)} s; nothing is left behind.`);
  } catch (error) {
    process.stderr.write(`\n${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

interface Start {
  readonly folder: string;
  readonly redisUrl: string;
}

/** `configuration`: the file that `--server-config` names. */
export async function withServer(
  { folder, redisUrl }: Start,
  configuration: string,
  work: (scene: Scene, served: Served) => Promise<void>,
): Promise<void> {
  const owner = makeSomebody(join(folder, 'server'), {
    name: 'Backtrail',
    email: 'backtrail@example.com',
    signs: true,
  });
  const scene = await makeScene(folder, owner);
  const list = join(folder, 'allowed_signers');
  // The server signs for whom it has authenticated: its key is listed for all of them.
  writeFileSync(list, allowedSigners([owner]).replace(/^\S+/, '*@example.com'));
  const state = join(folder, 'state');
  const env = { ...owner.env, REDIS_URL: redisUrl, BACKTRAIL_ALLOWED_SIGNERS: list };
  const tokens = {
    JANE: tokenOf(env, state, 'jane@example.com', 'Jane Doe'),
    BOB: tokenOf(env, state, 'bob@example.com', 'Bob Miller'),
  };
  writeFileSync(join(folder, 'server.yaml'), configuration);
  const location = `file://${scene.remote}`;
  const server = await serve({ folder, env, location, state });
  try {
    await work(scene, { url: server.url, tokens, location, env, redisUrl, state });
  } catch (error) {
    process.stderr.write(server.log().split('\n').slice(-20).join('\n'));
    throw error;
  } finally {
    await server.stop();
  }
}

async function makeScene(folder: string, owner: Somebody): Promise<Scene> {
  const clone = join(folder, 'config');
  await buildFixturesRepo(clone);
  appendFileSync(join(clone, '.backtrail/config.yaml'), POLICY);
  const remote = join(folder, 'config.git');
  const scene = { folder, remote, clone, owner };
  gitIn(scene, 'commit', '--quiet', '-a', '-m', 'Production needs one approval');
  gitIn(scene, 'clone', '--quiet', '--bare', clone, remote);
  gitIn(scene, 'remote', 'add', 'origin', remote);
  return scene;
}

/** Runs git in the clone; gives what it prints. */
export function gitIn({ clone, owner }: Scene, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, {
    cwd: clone,
    env: owner.env,
    encoding: 'utf8',
  });
  claim(status === 0, `git ${args[0] ?? ''} failed: ${stderr}`);
  return stdout.trim();
}

function tokenOf(env: NodeJS.ProcessEnv, state: string, email: string, name: string): string {
  const args = [
    'token',
    'create',
    '--person',
    `${name} <${email}>`,
    '--name',
    'tour',
    '--scope',
    'admin',
    '--expires',
    '1d',
    '--state',
    state,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args, '-o', 'json'], {
    env,
    encoding: 'utf8',
  });
  claim(status === 0, `token create failed: ${stderr}`);
  const found: { readonly token?: string } = JSON.parse(stdout);
  claim(typeof found.token === 'string', 'token create gave no token');
  return found.token;
}

async function serve({
  folder,
  env,
  location,
  state,
}: {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly location: string;
  readonly state: string;
}) {
  const args = [
    '--repo',
    location,
    'serve',
    '--worker',
    '--listen',
    '127.0.0.1:0',
    '--server-config',
    'server.yaml',
    '--state',
    state,
  ];
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, log] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const url = await new Promise<string>((resolve, reject) => {
    child.on('exit', () => reject(new Error(`The server ended: ${log}`)));
    child.stdout.on('data', () => {
      const [, found] = /^listening on (\S+)$/m.exec(out) ?? [];
      if (found !== undefined) resolve(found);
    });
  });
  return {
    url,
    log: () => log,
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      const [code] = await once(child, 'exit');
      claim(code === 0, `The server ended with ${String(code)}: ${log}`);
    },
  };
}
