import { execFile } from 'node:child_process';
import { access, chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** What a path holds after a commit: text or bytes; `null` removes it; a link or an executable says so. */
export type Content = string | Uint8Array | null | { link: string } | { executable: string };
export type Files = Readonly<Record<string, Content>>;

export interface CommitOptions {
  readonly message?: string;
  /** ISO 8601 or anything git takes; the next minute of a fixed day where absent. */
  readonly date?: string;
  readonly author?: { readonly name: string; readonly email: string };
}

export interface Repo {
  /** The worktree, or the git directory of a bare repository. */
  readonly folder: string;
  readonly gitDir: string;
  /** A process environment that sees no configuration of this machine. */
  readonly env: Readonly<Record<string, string>>;
  /** The global configuration file of `env`. */
  readonly globalConfig: string;
  /** Runs git here and gives its standard output, without the last newline. */
  git(...args: string[]): Promise<string>;
  gitWith(
    options: { input?: string | Uint8Array; env?: Record<string, string> },
    args: string[],
  ): Promise<string>;
  /** Writes files into the worktree, commits everything there, gives the commit id. */
  commit(files: Files, options?: CommitOptions): Promise<string>;
  /** Many commits through one fast-import: quick, also in a bare repository. Gives their ids, oldest first. */
  replay(commits: readonly (CommitOptions & { files: Files })[], branch?: string): Promise<string[]>;
  /** A history for each branch, which share no commit, through one fast-import; gives the ids of each. */
  replayEach(
    branches: readonly string[],
    commits: (branch: string) => readonly (CommitOptions & { files: Files })[],
  ): Promise<string[][]>;
  write(files: Files): Promise<void>;
}

/** A temporary folder that is gone after the test file, see setup.ts. */
export function temporaryFolder(name = 'backtrail-test-'): Promise<string> {
  return mkdtemp(join(tmpdir(), name));
}

/** Every commit and push would start a process more, to look whether it is time to collect garbage. */
export const QUIET = '[maintenance]\n\tauto = false\n[gc]\n\tauto = 0\n[receive]\n\tautogc = false\n';

/** An environment with a home of its own: no system or user configuration reaches it. */
export async function isolatedEnv(): Promise<{ env: Record<string, string>; globalConfig: string }> {
  const home = await temporaryFolder('backtrail-home-');
  const globalConfig = join(home, '.gitconfig');
  await writeFile(
    globalConfig,
    `[user]\n\tname = Test\n\temail = test@example.com\n[init]\n\tdefaultBranch = main\n${QUIET}`,
  );
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    GIT_CONFIG_NOSYSTEM: '1',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
  };
  return { env, globalConfig };
}

export async function createRepo(
  options: {
    bare?: boolean;
    branch?: string;
    env?: Readonly<Record<string, string>>;
    folder?: string;
    format?: 'sha1' | 'sha256';
  } = {},
): Promise<Repo> {
  const isolated = await isolatedEnv();
  const folder = options.folder ?? join(await temporaryFolder(), 'repo');
  const repo = openRepo({
    folder,
    bare: options.bare ?? false,
    globalConfig: isolated.globalConfig,
    env: options.env ?? isolated.env,
  });
  for (const name of ['hooks', 'info']) await mkdir(join(repo.gitDir, name), { recursive: true });
  if (!(await exists(join(repo.gitDir, 'HEAD'))))
    await initialise(repo.gitDir, {
      bare: options.bare ?? false,
      branch: options.branch ?? 'main',
      format: options.format ?? 'sha1',
    });
  return repo;
}

/** What `git init` writes, without a process. */
async function initialise(
  gitDir: string,
  { bare, branch, format }: { bare: boolean; branch: string; format: string },
): Promise<void> {
  for (const folder of ['hooks', 'info', 'objects/info', 'objects/pack', 'refs/heads', 'refs/tags'])
    await mkdir(join(gitDir, folder), { recursive: true });
  const version = format === 'sha1' ? 0 : 1;
  const core = `[core]\n\trepositoryformatversion = ${version}\n\tfilemode = true\n\tbare = ${bare}\n`;
  const more = bare ? '' : '\tlogallrefupdates = true\n';
  const extensions = format === 'sha1' ? '' : `[extensions]\n\tobjectformat = ${format}\n`;
  await writeFile(join(gitDir, 'config'), `${core}${more}${extensions}`);
  await writeFile(join(gitDir, 'HEAD'), `ref: refs/heads/${branch}\n`);
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** The commit that a ref is at, read from its own file where there is one; '' where there is no such ref. */
async function tipOf({ gitDir, git }: Pick<Repo, 'gitDir' | 'git'>, ref: string): Promise<string> {
  const text = await readFile(join(gitDir, ref), 'utf8').catch(() => '');
  const [, target] = /^ref: (\S+)\n$/.exec(text) ?? [];
  if (target !== undefined) return tipOf({ gitDir, git }, target);
  if (text !== '') return text.trim();
  const isHere = (await exists(join(gitDir, 'HEAD'))) && !(await exists(join(gitDir, 'packed-refs')));
  // Else it may be packed, or that of a linked worktree.
  return isHere ? '' : git('rev-parse', '--verify', '--quiet', ref).catch(() => '');
}

/** What `git rev-parse` gives for HEAD, a branch or a whole ref, where it stands in a file of its own; tests ask that hundreds of times. */
async function looseRef(gitDir: string, name: string): Promise<string | null> {
  if (!/^(HEAD|[a-z]+|refs\/[\w/-]+)$/.test(name)) return null;
  const read = (path: string) => readFile(join(gitDir, path), 'utf8').catch(() => '');
  const isWhole = name === 'HEAD' || name.startsWith('refs/');
  // Where a tag, or a file beside HEAD, may have the name of a branch, git decides.
  if (!isWhole)
    for (const other of [name, join('refs/tags', name), 'packed-refs'])
      if (await exists(join(gitDir, other))) return null;
  const text = await read(isWhole ? name : `refs/heads/${name}`);
  const [, target] = /^ref: (refs\/\S+)\n$/.exec(text) ?? [];
  const id = target === undefined ? text : await read(target);
  return /^([0-9a-f]{40}|[0-9a-f]{64})\n$/.test(id) ? id.trim() : null;
}

/** A folder copied by one process: copying some hundred files from here costs more. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-R', '--', from, to]);
}

/** A copy of all that a repository holds, for one test to change: cheaper than to build it again. */
export async function copyRepo({ folder, gitDir, env, globalConfig }: Repo): Promise<Repo> {
  const copy = join(await temporaryFolder(), 'repo');
  await copyFolder(folder, copy);
  return openRepo({ folder: copy, bare: folder === gitDir, globalConfig, env });
}

/** A clone made by plain git, with the same environment. */
export async function cloneRepo(of: Repo, options: { bare?: boolean; args?: string[] } = {}): Promise<Repo> {
  const parent = await temporaryFolder();
  const folder = join(parent, 'clone');
  const bare = options.bare ?? false;
  await runGit(parent, of.env, [
    'clone',
    '--quiet',
    ...(bare ? ['--bare'] : []),
    ...(options.args ?? []),
    of.folder,
    folder,
  ]);
  return openRepo({ folder, bare, globalConfig: of.globalConfig, env: of.env });
}

function openRepo(place: {
  folder: string;
  bare: boolean;
  globalConfig: string;
  env: Readonly<Record<string, string>>;
}): Repo {
  const { folder, bare, globalConfig, env } = place;
  const gitDir = bare ? folder : join(folder, '.git');
  let minutes = 0;
  const nextDate = () =>
    new Date(Date.UTC(2026, 0, 1, 0, (minutes += 1))).toISOString().replace('.000Z', '+00:00');
  const write = (files: Files) => writeFiles(folder, files);
  const gitWith: Repo['gitWith'] = (extra, args) =>
    runGit(folder, { ...env, ...extra.env }, args, extra.input);
  const git: Repo['git'] = async (...args) =>
    (args.length === 2 && args[0] === 'rev-parse' && (await looseRef(gitDir, args[1] ?? ''))) ||
    gitWith({}, args);
  return {
    folder,
    gitDir,
    env,
    globalConfig,
    git,
    gitWith,
    write,
    async commit(files, options = {}) {
      await write(files);
      await git('add', '-A', '.');
      const dates = person(options.author, options.date ?? nextDate());
      const message = options.message ?? 'Change';
      await gitWith({ env: dates, input: message }, [
        'commit',
        '--quiet',
        '--allow-empty',
        '--allow-empty-message',
        '--cleanup=verbatim',
        '-F',
        '-',
      ]);
      return tipOf({ gitDir, git }, 'HEAD');
    },
    async replay(commits, branch = 'main') {
      const ref = `refs/heads/${branch}`;
      const tip = await tipOf({ gitDir, git }, ref);
      const stream = commits.map((commit, index) =>
        importCommit(
          { ...commit, date: commit.date ?? nextDate() },
          { branch, mark: index + 1, from: index === 0 ? tip : '' },
        ),
      );
      const asks = commits.map((_, index) => `get-mark :${index + 1}\n`).join('');
      const input = Buffer.concat([...stream, Buffer.from(asks)]);
      const ids = await gitWith({ input }, ['fast-import', '--quiet']);
      if (!bare) await git('reset', '--quiet', '--hard');
      return ids.split('\n');
    },
    async replayEach(branches, commits) {
      const marks: string[] = [];
      const stream = branches.flatMap((branch) =>
        commits(branch).map((commit) => {
          marks.push(branch);
          const at = { branch, mark: marks.length, from: '' };
          return importCommit({ ...commit, date: commit.date ?? nextDate() }, at);
        }),
      );
      const asks = marks.map((_, index) => `get-mark :${index + 1}\n`).join('');
      const input = Buffer.concat([...stream, Buffer.from(asks)]);
      const ids = (await gitWith({ input }, ['fast-import', '--quiet'])).split('\n');
      return branches.map((branch) => ids.filter((_, index) => marks[index] === branch));
    },
  };
}

function person(author: CommitOptions['author'], date: string): Record<string, string> {
  const { name, email } = author ?? { name: 'Test', email: 'test@example.com' };
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  };
}

function importCommit(
  commit: CommitOptions & { files: Files; date: string },
  place: { branch: string; mark: number; from: string },
): Buffer {
  const { name, email } = commit.author ?? { name: 'Test', email: 'test@example.com' };
  const seconds = Math.floor(Date.parse(commit.date) / 1000);
  const parts: Buffer[] = [
    Buffer.from(
      `commit refs/heads/${place.branch}\nmark :${place.mark}\ncommitter ${name} <${email}> ${seconds} +0000\n`,
    ),
    data(commit.message ?? 'Change'),
    Buffer.from(place.from === '' ? '' : `from ${place.from}\n`),
  ];
  for (const [path, content] of Object.entries(commit.files)) {
    if (content === null) parts.push(Buffer.from(`D ${quote(path)}\n`));
    else parts.push(Buffer.from(`M ${modeOf(content)} inline ${quote(path)}\n`), data(bytesOf(content)));
  }
  return Buffer.concat(parts);
}

/** A lone surrogate U+DC80 to U+DCFF stands for a byte that is not UTF-8. */
const quote = (path: string) =>
  `"${path
    .replace(/[\\"]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replace(/[\udc80-\udcff]/gu, (byte) => `\\${(byte.charCodeAt(0) - 0xdc00).toString(8)}`)}"`;
const data = (content: string | Uint8Array) =>
  Buffer.concat([
    Buffer.from(`data ${Buffer.byteLength(content)}\n`),
    typeof content === 'string' ? Buffer.from(content) : content,
    Buffer.from('\n'),
  ]);
const bytesOf = (content: Exclude<Content, null>) =>
  typeof content === 'string' || content instanceof Uint8Array
    ? content
    : 'link' in content
      ? content.link
      : content.executable;
function modeOf(content: Exclude<Content, null>): string {
  if (typeof content === 'string' || content instanceof Uint8Array) return '100644';
  return 'link' in content ? '120000' : '100755';
}

async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    await rm(file, { recursive: true, force: true });
    if (content === null) continue;
    await mkdir(dirname(file), { recursive: true });
    if (typeof content === 'string' || content instanceof Uint8Array) await writeFile(file, content);
    else if ('link' in content) await symlink(content.link, file);
    else {
      await writeFile(file, content.executable);
      await chmod(file, 0o755);
    }
  }
}

function runGit(
  cwd: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  input?: string | Uint8Array,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'git',
      args,
      { cwd, env, maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout.replace(/\n$/, ''));
        else reject(new Error(`git ${args.join(' ')}: ${stderr}`, { cause: error }));
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
  });
}
