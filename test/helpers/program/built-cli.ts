import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll } from 'vitest';
import { buildCli } from '../../../scripts/build-cli.ts';
import type { Repo } from '../repositories/repo.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

/** The last line of each module that is bundled tells when it has run: a bundle is loaded as a whole, its modules are not. */
const telling = (path: string) => `;globalThis.tellLoaded?.(${JSON.stringify(path)});`;

/** Appends what has run, and what is loaded besides, to the file that LOADED names. */
const RECORDER = `import { appendFileSync } from 'node:fs';
  import Module, { register } from 'node:module';
  const write = (path) => appendFileSync(process.env.LOADED, path + '\\n');
  globalThis.tellLoaded = write;
  const load = Module._load;
  Module._load = function (name, ...more) {
    if (/^[@\\w]/.test(name) && !Module.isBuiltin(name)) write('node_modules/' + name);
    return load.call(this, name, ...more);
  };
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
  await buildCli(folder, telling);
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
      const lines = (await readFile(list, 'utf8')).trimEnd().split('\n');
      const sources = lines.flatMap((line) => {
        if (!/^\w+:/.test(line)) return [line];
        const path = line.startsWith('file:') ? relative(ROOT, fileURLToPath(line)) : '';
        // The bundle itself tells what of it has run.
        return path.startsWith('node_modules/') && !path.startsWith('node_modules/.') ? [path] : [];
      });
      return { code: typeof code === 'number' ? code : null, output, sources };
    },
  };
}
