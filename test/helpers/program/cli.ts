import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Environment } from '../../../cli/environment.ts';
import { runProgram } from '../../../cli/start/program.ts';
import { builtMain, compiled, shareCompiledCode } from './compiled.ts';
import { fixtures } from '../repositories/fixtures.ts';
import { closeAfterFile } from '../run/lifetime.ts';
import { createRepo, type Repo } from '../repositories/repo.ts';

/** What a command line left behind. */
export interface Transcript {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** The folder to stand in; the repository's where absent. */
  readonly cwd?: string;
  readonly redisUrl?: string;
  /** Environment variables besides the isolated ones. */
  readonly env?: Readonly<Record<string, string>>;
  /** A file that a process writes its standard output to. */
  readonly stdout?: string;
  /** Milliseconds since 1970; now where absent. */
  readonly now?: number;
  /** Columns of the terminal; unknown where absent. */
  readonly columns?: number;
}

const NO_REDIS = 'redis://127.0.0.1:1';

/** Runs one command line in this process, as main.ts does, with nothing of this machine's configuration and no terminal. */
export async function backtrail(
  repo: Pick<Repo, 'folder' | 'env'>,
  args: readonly string[],
  options: CliOptions = {},
): Promise<Transcript> {
  const env = { ...repo.env, ...options.env };
  const environment: Environment = {
    env,
    cacheFolder: join(env['HOME'] ?? '', '.cache/backtrail'),
    cacheLimit: 2 ** 33,
    redisUrl: options.redisUrl ?? NO_REDIS,
    committer: { name: 'Backtrail', email: 'backtrail@localhost' },
    renderCommands: [],
    allowedSigners: env['BACKTRAIL_ALLOWED_SIGNERS'] ?? null,
    author: null,
    account: { name: 'tester', email: 'tester@localhost' },
    color: false,
    columns: options.columns ?? null,
    interactive: false,
    progress: false,
    clock: {
      now: () => options.now ?? Date.now(),
      sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
    },
    nodeVersion: process.versions.node,
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
  };
  const before = process.cwd();
  process.chdir(options.cwd ?? repo.folder);
  const captured = capture();
  try {
    const code = await runProgram(['node', 'backtrail', ...args], environment);
    return { code, ...captured.texts() };
  } finally {
    captured.end();
    process.chdir(before);
  }
}

/** Takes what is written to the two streams meanwhile. */
function capture() {
  const streams = [process.stdout, process.stderr] as const;
  const originals = streams.map((stream) => stream.write.bind(stream));
  const taken: string[] = ['', ''];
  streams.forEach((stream, index) => {
    stream.write = (chunk: string | Uint8Array) => {
      taken[index] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
      return true;
    };
  });
  return {
    texts: () => ({ stdout: taken[0] ?? '', stderr: taken[1] ?? '' }),
    end: () =>
      streams.forEach((stream, index) => {
        const original = originals[index];
        if (original) stream.write = original;
      }),
  };
}

const SCRIPTS = {
  incident: 'scripts/incident-recovery.ts',
  'first-rollback': 'scripts/first-rollback.ts',
};

/** Starts the command line (or a script) in a process of its own, without a terminal. */
export function start(
  repo: Pick<Repo, 'folder' | 'env'>,
  args: readonly string[],
  options: CliOptions & { script?: keyof typeof SCRIPTS } = {},
) {
  const script = options.script === undefined ? builtMain() : compiled(SCRIPTS[options.script]);
  const file = options.stdout === undefined ? null : openSync(options.stdout, 'w');
  const env = { ...repo.env, REDIS_URL: options.redisUrl ?? NO_REDIS, ...options.env };
  shareCompiledCode(env);
  const child = spawn(process.execPath, [script, ...args], {
    cwd: options.cwd ?? repo.folder,
    env,
    stdio: ['ignore', file ?? 'pipe', 'pipe'],
  });
  if (file !== null) closeSync(file);
  closeAfterFile(() => child.kill('SIGKILL'));
  const taken = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (taken.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (taken.stderr += text));
  const ended = once(child, 'close').then(
    ([code]): Transcript => ({ code: typeof code === 'number' ? code : null, ...taken }),
  );
  return { child, taken, ended };
}

export function runProcess(...how: Parameters<typeof start>): Promise<Transcript> {
  return start(...how).ended;
}

/** A copy of the example repository with its history, for one test to change. */
export async function exampleRepo(options: { bare?: boolean } = {}): Promise<Repo> {
  const { bare = false } = options;
  const { directory: folder } = await fixtures({ bare });
  return createRepo({ folder, bare });
}

/** Every ref with its value, HEAD, and the state of the files: nothing of it moves when a command refuses. */
export async function stateOf(repo: Repo): Promise<string> {
  const refs = await repo.git('for-each-ref', '--format=%(refname) %(objectname)');
  const head = await repo.git('rev-parse', 'HEAD');
  const bare = (await repo.git('rev-parse', '--is-bare-repository')) === 'true';
  return [refs, head, bare ? '' : await repo.git('status', '--porcelain')].join('\n--\n');
}

/** What a command that went well printed with `-o json`, as far as `shape` asks. */
export function jsonOf<T>(transcript: Transcript, shape: z.ZodType<T>): T {
  const { code, stdout, stderr } = transcript;
  if (code !== 0 || stderr !== '')
    throw new Error(`It did not go well: ${JSON.stringify(transcript, null, 2)}`);
  return shape.parse(JSON.parse(stdout));
}

export const resultShape = z.looseObject({
  requestId: z.string(),
  status: z.string(),
  mode: z.string(),
  base: z.string(),
  target: z.string(),
  commit: z.string().nullable(),
  deliveryCommit: z.string().nullable(),
  findings: z.array(z.looseObject({ code: z.string() })),
});

/** Result of a rollback that made a commit. */
export function completedOf(transcript: Transcript) {
  const result = jsonOf(transcript, resultShape);
  if (result.status !== 'completed' || result.commit === null)
    throw new Error(`It made no commit: ${transcript.stdout}`);
  return { ...result, commit: result.commit };
}

export interface Refusal {
  readonly exit: number | null;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** Sentences that are agreed on to the letter, without a full stop. */
const VERBATIM = [
  'targetSha is required',
  'rollback request is not pending approval',
  'selected fields cannot be empty for field mode',
  'cannot approve/reject your own rollback request',
  'you have already reviewed this rollback request',
  'approval saved but rollback execution failed',
];

/** Is it one sentence, as every error's message? */
export const isSentence = (text: string) => /^[^\n]+\.$/.test(text) || VERBATIM.includes(text);

/** What a refusal says: nothing on standard output; one sentence, its code and a hint on the other, after a plan where there is one. */
export function refusalOf(
  { code: exit, stdout, stderr }: Transcript,
  options: { afterPlan?: boolean } = {},
): Refusal {
  const match = /(?:^|\n)backtrail: ([^\n]+)\n {2}code: ([A-Z_]+)\n {2}hint: ([^\n]+)\n$/.exec(stderr);
  const plain =
    match !== null &&
    isSentence(match[1] ?? '') &&
    stdout === '' &&
    (options.afterPlan === true || match.index === 0);
  if (!plain) throw new Error(`This is no refusal: ${JSON.stringify({ exit, stdout, stderr }, null, 2)}`);
  const [, message = '', code = '', hint = ''] = match;
  return { exit, code, message, hint };
}
