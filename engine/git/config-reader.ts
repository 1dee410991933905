import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseConfigList, LIST_CONFIG } from './process/config.ts';
import type { ConfigEntry } from './process/config.ts';
import { discoveryEnvironment } from './process/environment.ts';
import type { ProcessEnvironment } from './process/spawn.ts';
import { run } from './process/spawn.ts';

/** The whole configuration that holds in a repository. */
export interface ConfigReader {
  /** As it is now: asked of git, but where none of its files has changed since git was last asked. */
  read(): Promise<ConfigEntry[]>;
  /** Asked of git in any case, for what is about to touch files. */
  fresh(): Promise<ConfigEntry[]>;
}

export interface ConfigPlace {
  readonly env: ProcessEnvironment;
  readonly folder: string;
  readonly timeoutMs: number;
  /** The git directory, of a linked worktree its own. */
  readonly directory: string;
  /** The one that linked worktrees share. */
  readonly common: string;
}

export function createConfigReader(place: ConfigPlace): ConfigReader {
  const files = configFiles(place);
  let last: { readonly entries: ConfigEntry[]; readonly state: string } | null = null;
  const fresh = async () => {
    const state = await stateOf(files);
    const entries = await list(place);
    last = isAllIn(files, place, entries) ? { entries, state } : null;
    return entries;
  };
  return {
    fresh,
    read: async () => (last !== null && last.state === (await stateOf(files)) ? last.entries : fresh()),
  };
}

async function list({ env, folder, timeoutMs, directory }: ConfigPlace): Promise<ConfigEntry[]> {
  const here = { ...discoveryEnvironment(env), GIT_DIR: directory };
  const { stdout } = await run({ args: LIST_CONFIG, cwd: folder, env: here, timeoutMs });
  return parseConfigList(stdout);
}

/** The files that git reads (git-config(1), FILES), also those that are not there yet. */
function configFiles({ env, folder, directory, common }: ConfigPlace): readonly string[] {
  const home = env['HOME'] ?? '/';
  const global = env['GIT_CONFIG_GLOBAL'];
  const users = [
    join(home, '.gitconfig'),
    join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'git/config'),
  ];
  return [
    env['GIT_CONFIG_SYSTEM'] ?? '/etc/gitconfig',
    ...(global === undefined ? users : [global]),
    join(common, 'config'),
    join(directory, 'config.worktree'),
  ].map((file) => resolve(folder, file));
}

/** Does nothing come from another file? What is included may depend on the branch, or on files that are not there yet. */
function isAllIn(
  files: readonly string[],
  { folder }: ConfigPlace,
  entries: readonly ConfigEntry[],
): boolean {
  return entries.every(({ key, origin = '' }) => {
    const file = /^file:(.*)$/s.exec(origin)?.[1];
    return !/^include(if)?\./.test(key) && (file === undefined || files.includes(resolve(folder, file)));
  });
}

/** Another text as soon as one of the files is written, comes or goes. */
async function stateOf(files: readonly string[]): Promise<string> {
  const states = files.map(async (file) => {
    const found = await stat(file, { bigint: true }).catch(() => null);
    return found && `${found.ino}.${found.size}.${found.mtimeNs}.${found.ctimeNs}`;
  });
  return (await Promise.all(states)).join();
}
