import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll } from 'vitest';
import { buildCli } from '../../scripts/build-cli.ts';
import type { Repo } from './repo.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Appends the address of each module that is loaded to the file that LOADED names. */
const RECORDER = `import { register } from 'node:module';
register('data:text/javascript,' + encodeURIComponent(\`
  import { appendFileSync } from 'node:fs';
  export async function load(url, context, next) {
    appendFileSync(process.env.LOADED, url + '\\\\n');
    return next(url, context);
  }\`));`;

export interface BuiltCli {
  readonly main: string;
  /** Runs it; gives the sources and packages that it has loaded, as paths below the project. */
  loadedBy(
    repo: Pick<Repo, 'folder' | 'env'>,
    args: readonly string[],
  ): Promise<{ code: number | null; output: string; sources: readonly string[] }>;
}

/** The command line as it is installed: built from the sources as they are now, for the tests of one file. */
export async function builtCli(): Promise<BuiltCli> {
  // Below the project, so that packages are found.
  const folder = await mkdtemp(join(ROOT, 'node_modules/.built-cli-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const { outputs } = await buildCli(folder);
  const main = join(folder, 'main.js');
  return {
    main,
    async loadedBy({ folder: cwd, env }, args) {
      const list = join(folder, `loaded-${Math.random()}`);
      const child = spawn(
        process.execPath,
        ['--import', `data:text/javascript,${encodeURIComponent(RECORDER)}`, main, ...args],
        { cwd, env: { ...env, LOADED: list }, stdio: ['ignore', 'pipe', 'pipe'] },
      );
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => (output += text));
      const [code] = await once(child, 'close');
      const files = (await readFile(list, 'utf8')).split('\n').filter((url) => url.startsWith('file:'));
      const sources = files.flatMap((url) => {
        const path = relative(ROOT, fileURLToPath(url));
        return Object.keys(outputs[path]?.inputs ?? { [path]: null });
      });
      return { code: typeof code === 'number' ? code : null, output, sources };
    },
  };
}
