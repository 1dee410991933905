/** Isolates renderers from everything but their files: with bubblewrap if it works, else as far as the system allows. */
import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { run } from '../../git/process/spawn.ts';
import type { PrivateFolder } from './folder.ts';

/** How renderers are isolated here; `how` is for display. */
export interface Confinement {
  readonly confined: boolean;
  readonly how: string;
  /** The command that runs `argv` isolated. */
  wrap(argv: readonly string[], folder: PrivateFolder): readonly string[];
}

/** `auto`: if it works. `off`: the operator isolates by other means. `require`: rendering fails without. */
export type Sandbox = 'auto' | 'off' | 'require';

/** An invalid value counts as `require`, the strictest. */
export const sandboxOf = (text: string | undefined): Sandbox =>
  text === undefined || text === '' || text === 'auto' ? 'auto' : text === 'off' ? 'off' : 'require';

const SYSTEM = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/opt',
  '/nix/store',
  '/gnu/store',
  '/snap',
];
/** The parts of /etc that programs need for libraries, names and certificates. */
const ETC = [
  'alternatives',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'ssl/certs',
  'ca-certificates',
  'pki/tls/certs',
  'nsswitch.conf',
  'passwd',
  'group',
  'localtime',
].map((name) => `/etc/${name}`);

/** Folders beside a folder of programs that belong to it (`~/.nvm/versions/node/v20/lib`, `~/.pyenv/versions`). */
const BESIDE = ['bin', 'shims', 'lib', 'lib64', 'libexec', 'versions', 'version', 'plugins'];

const MEGABYTE = 1024 * 1024;
const TEMPORARY = 512 * MEGABYTE;
const LIMITS = ['--core=0', `--fsize=${512 * MEGABYTE}`, `--data=${4096 * MEGABYTE}`, '--nofile=4096'];

/** `path`: absolute folders, separated as in PATH. Runs bubblewrap once as a probe. */
export async function confinementOf(path: string, sandbox: Sandbox): Promise<Confinement> {
  const [prlimit, setpriv, bwrap] = ['prlimit', 'setpriv', 'bwrap'].map((name) => find(name, path));
  const limited = prlimit === null || prlimit === undefined ? [] : [prlimit, ...LIMITS, '--'];
  const parted = setpriv === null || setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--'];
  const bare = (how: string): Confinement => ({
    confined: false,
    how,
    wrap: (argv) => [...limited, ...parted, ...argv],
  });
  if (sandbox === 'off') return bare('BACKTRAIL_RENDER_SANDBOX is off');
  if (bwrap === null || bwrap === undefined) return bare('bubblewrap (bwrap) is not installed');
  const problem = await probe(bwrap);
  if (problem !== null) return bare(`bubblewrap does not work here: ${problem}`);
  const visible = visibleFolders(path);
  return {
    confined: true,
    how: 'bubblewrap: no network, nothing but its files and programs to read, nothing to write but a temporary folder',
    wrap: (argv, folder) => [
      ...limited,
      bwrap,
      ...bubblewrapArguments(visible, argv[0] ?? '', path, folder),
      '--',
      ...argv,
    ],
  };
}

const BASE_ARGUMENTS = ['--unshare-all', '--die-with-parent', '--new-session'];

function bubblewrapArguments(
  visible: readonly string[],
  program: string,
  path: string,
  { tree, home }: PrivateFolder,
): string[] {
  const own = find(program, path);
  const real = own === null ? [] : programFolders(dirname(realpathSync(own)));
  return [
    ...BASE_ARGUMENTS,
    ...[...visible, ...real].flatMap((folder) => ['--ro-bind-try', folder, folder]),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--size',
    String(TEMPORARY),
    '--tmpfs',
    '/tmp',
    // If the folder is not in /tmp, the bind mount creates its path.
    '--ro-bind',
    tree,
    tree,
    '--size',
    String(TEMPORARY),
    '--tmpfs',
    home,
    '--chdir',
    tree,
  ];
}

function visibleFolders(path: string): string[] {
  const folders = path.split(':').filter((folder) => folder !== '');
  return [...new Set([...SYSTEM, ...ETC, ...folders.flatMap(programFolders)])].filter((folder) =>
    existsSync(folder),
  );
}

/** A folder of programs with the folders beside it that it needs; never a whole home directory. */
function programFolders(folder: string): string[] {
  const isSystem = SYSTEM.some((system) => folder === system || folder.startsWith(`${system}/`));
  if (isSystem || folder === '/' || folder === homedir()) return [];
  const beside = /^(?:s?bin|shims)$/.test(basename(folder))
    ? BESIDE.map((name) => join(dirname(folder), name))
    : [];
  return [folder, ...(dirname(folder) === '/' ? [] : beside)];
}

export const isInstalled = (program: string, path: string) => find(program, path) !== null;

function find(program: string, path: string): string | null {
  const places = program.includes('/') ? [program] : path.split(':').map((folder) => join(folder, program));
  return places.find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs bubblewrap once; its own error message, or null if it works. */
async function probe(bwrap: string): Promise<string | null> {
  const args = [...BASE_ARGUMENTS, '--ro-bind', '/', '/', '--', '/bin/true'];
  const codes = Array.from({ length: 256 }, (_, code) => code);
  try {
    const { code, stderr } = await run({
      program: bwrap,
      args,
      cwd: '/',
      env: {},
      timeoutMs: 10_000,
      okCodes: codes,
    });
    return code === 0
      ? null
      : (stderr.split('\n')[0] ?? '').replace(/^bwrap: /, '').slice(0, 200) || `it ended with ${code}`;
  } catch {
    return 'it could not be started';
  }
}
