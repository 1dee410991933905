/** Keeps what a renderer runs away from everything but its files: bubblewrap where it works, else as much as the system offers. */
import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { run } from '../../git/process/spawn.ts';
import type { Folder } from './folder.ts';

/** How renderers run here: `how` is for people. */
export interface Confinement {
  readonly confined: boolean;
  readonly how: string;
  /** The command that runs `argv` so. */
  wrap(argv: readonly string[], folder: Folder): readonly string[];
}

/** `auto`: where it works. `off`: the operator has something of their own. `require`: nothing is rendered without. */
export type Sandbox = 'auto' | 'off' | 'require';

/** A word that is none of the three was meant to say something: the strict one is taken. */
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
/** Of /etc only what programs need to find their libraries, names and certificates. */
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

/** What stands beside a folder of programs and belongs to them (`~/.nvm/versions/node/v20/lib`, `~/.pyenv/versions`). */
const BESIDE = ['bin', 'shims', 'lib', 'lib64', 'libexec', 'versions', 'version', 'plugins'];

const MEGABYTE = 1024 * 1024;
const TEMPORARY = 512 * MEGABYTE;
const LIMITS = ['--core=0', `--fsize=${512 * MEGABYTE}`, `--data=${4096 * MEGABYTE}`, '--nofile=4096'];

/** `path`: absolute folders, as PATH has them. Asks the system once. */
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
  const visible = mounts(path);
  return {
    confined: true,
    how: 'bubblewrap: no network, nothing but its files and programs to read, nothing to write but a temporary folder',
    wrap: (argv, folder) => [
      ...limited,
      bwrap,
      ...isolated(visible, argv[0] ?? '', path, folder),
      '--',
      ...argv,
    ],
  };
}

const BARE = ['--unshare-all', '--die-with-parent', '--new-session'];

function isolated(
  visible: readonly string[],
  program: string,
  path: string,
  { tree, home }: Folder,
): string[] {
  const own = find(program, path);
  const real = own === null ? [] : mountsOf(dirname(realpathSync(own)));
  return [
    ...BARE,
    ...[...visible, ...real].flatMap((folder) => ['--ro-bind-try', folder, folder]),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--size',
    String(TEMPORARY),
    '--tmpfs',
    '/tmp',
    // Where the folder of the files is not in /tmp, its place is made by the mount itself.
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

function mounts(path: string): string[] {
  const folders = path.split(':').filter((folder) => folder !== '');
  return [...new Set([...SYSTEM, ...ETC, ...folders.flatMap(mountsOf)])].filter((place) => existsSync(place));
}

/** A folder of programs, with what belongs to it beside it; never a home as a whole. */
function mountsOf(folder: string): string[] {
  const isSystem = SYSTEM.some((place) => folder === place || folder.startsWith(`${place}/`));
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

/** Why it does not start, as it says itself; null where it does. */
async function probe(bwrap: string): Promise<string | null> {
  const args = [...BARE, '--ro-bind', '/', '/', '--', '/bin/true'];
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
