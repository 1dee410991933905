/** Step 0: look at the branch. Everything after it works on this one tip. */
import { BacktrailError, type Config } from '../model/index.ts';
import type { GitRepository } from '../git/open.ts';
import { CONFIG_PATH, parseConfig } from '../plan/config.ts';
import { compileLayout } from '../plan/layout.ts';
import { decode, makeSnapshot, type Snapshot } from '../plan/snapshot.ts';
import { treeView } from '../plan/view.ts';

/** A configuration that stands outside the repository. */
export interface ConfigText {
  /** How messages name it. */
  readonly name: string;
  readonly text: string;
}

/** Reads the tip and the configuration at the tip (never at a target). CONFIG_MISSING, CONFIG_INVALID, BRANCH_UNKNOWN. */
export async function observe(git: GitRepository, outside: ConfigText | null): Promise<Snapshot> {
  const { config, branch } = outside ? await withOutside(git, outside) : await withInside(git);
  const base = await git.tip(branch);
  const { objects: reader, history, hasher } = git;
  return makeSnapshot({ branch, base, layout: compileLayout(config), reader, history, hasher });
}

async function withOutside(
  git: GitRepository,
  { text, name }: ConfigText,
): Promise<{ config: Config; branch: string }> {
  const config = parseConfig(text, name);
  return { config, branch: config.branch ?? (await git.defaultBranch()) };
}

/** The configuration on the repository's default branch names the branch; where that is another one, its own configuration counts. */
async function withInside(git: GitRepository): Promise<{ config: Config; branch: string }> {
  const start = await git.defaultBranch();
  const config = await readInside(git, start);
  if (config.branch === null || config.branch === start) return { config, branch: start };
  return { config: await readInside(git, config.branch), branch: config.branch };
}

async function readInside(git: GitRepository, branch: string): Promise<Config> {
  const { tree } = await git.objects.commit(await git.tip(branch));
  const bytes = await treeView(git.objects, tree).read(CONFIG_PATH);
  if (bytes === null) throw new BacktrailError('CONFIG_MISSING', `Branch ${branch} holds no ${CONFIG_PATH}.`);
  const text = decode(bytes);
  if (text === null)
    throw new BacktrailError('CONFIG_INVALID', `${CONFIG_PATH}:1:1: The file is not UTF-8 text.`);
  return parseConfig(text, CONFIG_PATH);
}
