/**
 * `npm run tour:api`: a server with a worker in its process, and two people who call it as docs/api.md says. Every answer is a real one, and every
 * claim is checked. It ends by comparing docs/api.md with what was asked and answered; `--write` writes the page anew.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildFixturesRepo } from './build-fixtures-repo.ts';
import { say, title } from './narrate.ts';
import { allowedSigners, makeSomebody, type Somebody } from './people.ts';
import { LOCAL_KINDS, withRedis } from './redis.ts';
import { curlOf, type Step, STEPS } from './tour/api-steps.ts';
import { apiPage, type Shown } from './tour/api-page.ts';
import { claim, MAIN } from './tour/run.ts';

const PAGE = fileURLToPath(new URL('../docs/api.md', import.meta.url));
const POLICY = `policy:
  environments:
    - { match: "*/production", quorum: 1, approvers: { groups: [sre] }, breakGlass: { allowed: true, longest: 1h } }
  groups: { sre: [jane@example.com, bob@example.com] }
`;
const STEP_MS = 120_000;

const PREPARE: Readonly<Record<NonNullable<Step['before']>, (scene: Scene) => void>> = {
  'hook-on': ({ remote }) => {
    const hook = join(remote, 'hooks/update');
    // The ledger still takes what is written to it.
    writeFileSync(
      hook,
      '#!/bin/sh\ncase "$1" in refs/heads/*) echo "The branch is frozen."; exit 1;; esac\n',
    );
    chmodSync(hook, 0o755);
  },
  'hook-off': ({ remote }) => rmSync(join(remote, 'hooks/update')),
  'bad-deploy': (scene) => {
    git(scene, 'pull', '--quiet', '--rebase', 'origin', 'main');
    const file = 'tenants/acme/production/services/api-gateway/service.yaml';
    const path = join(scene.clone, file);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/tag: .*/, 'tag: v9.0.0'));
    git(scene, 'commit', '--quiet', '-a', '-m', 'Deploy v9.0.0');
    git(scene, 'push', '--quiet', 'origin', 'HEAD:main');
  },
};

const started = Date.now();
const folder = mkdtempSync(join(tmpdir(), 'backtrail-tour-api-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

try {
  await withRedis(({ url }) => tour(url), { only: LOCAL_KINDS });
  say(
    `\nEvery call was answered as docs/api.md says. Done in ${((Date.now() - started) / 1000).toFixed(0)} s; nothing is left behind.`,
  );
} catch (error) {
  process.stderr.write(`\ntour:api: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** What the tour itself does to the repository between calls. */
interface Scene {
  readonly remote: string;
  readonly clone: string;
  readonly owner: Somebody;
}

async function tour(redisUrl: string): Promise<void> {
  const owner = makeSomebody(join(folder, 'server'), {
    name: 'Backtrail',
    email: 'backtrail@example.com',
    signs: true,
  });
  const scene = await makeScene(owner);
  const list = join(folder, 'allowed_signers');
  // The server signs for whom it has authenticated: its key is listed for all of them.
  writeFileSync(list, allowedSigners([owner]).replace(/^\S+/, '*@example.com'));
  const state = join(folder, 'state');
  const env = { ...owner.env, REDIS_URL: redisUrl, BACKTRAIL_ALLOWED_SIGNERS: list };
  const tokens = {
    JANE: tokenOf(env, state, 'jane@example.com', 'Jane Doe'),
    BOB: tokenOf(env, state, 'bob@example.com', 'Bob Miller'),
  };
  writeFileSync(join(folder, 'server.yaml'), 'tokens: true\n');
  const server = await serve(env, scene, state);
  try {
    const shown: Shown[] = [];
    const kept = new Map<string, string>();
    for (const step of STEPS) shown.push(await take(step, { url: server.url, tokens, kept, scene }));
    const page = apiPage(shown);
    if (process.argv.includes('--write')) writeFileSync(PAGE, page);
    else
      claim(
        readFileSync(PAGE, 'utf8') === page,
        'docs/api.md shows other calls or answers: npm run docs:api',
      );
  } catch (error) {
    process.stderr.write(server.log().split('\n').slice(-20).join('\n'));
    throw error;
  } finally {
    await server.stop();
  }
}

async function makeScene(owner: Somebody): Promise<Scene> {
  const clone = join(folder, 'config');
  await buildFixturesRepo(clone);
  appendFileSync(join(clone, '.backtrail/config.yaml'), POLICY);
  const remote = join(folder, 'config.git');
  const scene = { remote, clone, owner };
  git(scene, 'commit', '--quiet', '-a', '-m', 'Production needs one approval');
  git(scene, 'clone', '--quiet', '--bare', clone, remote);
  git(scene, 'remote', 'add', 'origin', remote);
  return scene;
}

function git({ clone, owner }: Scene, ...args: string[]): void {
  const { status, stderr } = spawnSync('git', args, { cwd: clone, env: owner.env, encoding: 'utf8' });
  claim(status === 0, `git ${args[0] ?? ''} failed: ${stderr}`);
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

async function serve(env: NodeJS.ProcessEnv, { remote }: Scene, state: string) {
  const args = [
    '--repo',
    `file://${remote}`,
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

interface Taking {
  readonly url: string;
  readonly tokens: Readonly<Record<'JANE' | 'BOB', string>>;
  readonly kept: Map<string, string>;
  readonly scene: Scene;
}

async function take(step: Step, { url, tokens, kept, scene }: Taking): Promise<Shown> {
  if (step.title !== undefined) title(step.title);
  say(step.text);
  if (step.before !== undefined) PREPARE[step.before](scene);
  const line = curlOf(step);
  say(`$ ${line}`);
  const filled = (text: string) => text.replace(/\$([A-Z]+)/g, (_, name: string) => kept.get(name) ?? '');
  const ask = () =>
    fetch(`${url}${filled(step.path)}`, {
      method: step.method ?? 'GET',
      signal: AbortSignal.timeout(STEP_MS),
      headers: {
        ...(step.who && { authorization: `Bearer ${tokens[step.who]}` }),
        ...(step.body && { 'content-type': 'application/json' }),
        ...step.headers,
      },
      ...(step.body && { body: filled(JSON.stringify(step.body)) }),
    });
  const meets = (body: unknown) =>
    Object.entries(step.holds ?? {}).every(([path, meant]) => at(body, path) === meant);
  let response = await ask();
  for (const deadline = Date.now() + STEP_MS; step.polls && !meets(await response.clone().json()); ) {
    claim(Date.now() < deadline, `${line} was never answered so`);
    await sleep(200);
    response = await ask();
  }
  if (step.events !== undefined) {
    const events = await readEvents(response, step.events);
    say(`${events}\n`);
    return { step, line, status: response.status, answer: events };
  }
  const text = await response.text();
  const body: unknown = text === '' ? null : JSON.parse(text);
  claim(
    response.status === step.status,
    `${line} was answered ${response.status}, not ${step.status}: ${text.slice(0, 2000)}`,
  );
  for (const [path, meant] of Object.entries(step.holds ?? {}))
    claim(
      at(body, path) === meant,
      `${path} is ${JSON.stringify(at(body, path))}, not ${JSON.stringify(meant)}: ${text.slice(0, 4000)}`,
    );
  for (const [name, path] of Object.entries(step.keep ?? {})) {
    const value = at(body, path);
    claim(typeof value === 'string', `The answer has no ${path}: ${text.slice(0, 500)}`);
    kept.set(name, value);
  }
  const answer = step.show === undefined ? body : shownOf(body, step.show);
  say(`${response.status} ${JSON.stringify(answer, null, 2)}\n`);
  return { step, line, status: response.status, answer };
}

/** As they arrive; the rest is not waited for. */
async function readEvents(response: Response, count: number): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const part of response.body ?? []) {
    text += decoder.decode(part, { stream: true });
    const whole = text
      .split('\n\n')
      .slice(0, -1)
      .filter((each) => each.includes('data:'));
    if (whole.length >= count) return whole.slice(0, count).join('\n\n');
  }
  throw new Error(`The stream ended after: ${text}`);
}

/** `a.0.b` of a value. */
function at(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split('.')) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = new Map(Object.entries(found)).get(name);
  }
  return found;
}

/** Only these paths, in a value of the same form. */
function shownOf(value: unknown, paths: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const inner = new Map<string, string[]>();
  for (const path of paths) {
    const [name = '', ...rest] = path.split('.');
    inner.set(name, [...(inner.get(name) ?? []), ...(rest.length > 0 ? [rest.join('.')] : [])]);
  }
  const entries = new Map<string, unknown>(Object.entries(value));
  const kept = [...inner].map(([name, rest]): [string, unknown] => {
    const own = entries.get(name);
    return [name, rest.length === 0 ? own : shownOf(own, rest)];
  });
  return Array.isArray(value) ? kept.map(([, own]) => own) : Object.fromEntries(kept);
}
