/**
 * Makes dist/cli of the command line: one bundle, in pieces that are loaded when they are needed, because to find, read and compile
 * hundreds of modules takes most of the time of a short command. Beside it: the table of commands (cli/start/usage.ts), and the licences of
 * the packages that are bundled. What is large and seldom needed stays a package of its own (EXTERNAL).
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';
import { readEnvironment } from '../cli/environment.ts';
import { readUsage } from '../cli/start/program.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const EXTERNAL = ['bullmq', 'ioredis', 'isomorphic-git', 'pino', 'simple-git'];

/** commander asks for it only to run commands that are programs of their own, which we have none of; to load it takes milliseconds. */
const WITHOUT_CHILDREN: Plugin = {
  name: 'without-children',
  setup(build) {
    build.onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /node_modules.commander/.test(importer) ? { path: 'none', namespace: 'without-children' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'without-children' }, () => ({
      contents: 'module.exports = {};',
    }));
  },
};

/** Gives what is in each of its files. */
export async function buildCli(folder: string): Promise<Metafile> {
  rmSync(folder, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['cli/main.ts'],
    outdir: folder,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    external: EXTERNAL,
    minify: true,
    legalComments: 'none',
    metafile: true,
    plugins: [WITHOUT_CHILDREN],
    // For the packages that are written for `require`.
    banner: {
      js: "import { createRequire as backtrailRequire } from 'node:module'; const require = backtrailRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  writeFileSync(
    join(folder, 'usage.json'),
    `${JSON.stringify(await readUsage(readEnvironment()), null, 1)}\n`,
  );
  writeFileSync(join(folder, 'LICENSES.txt'), licences(metafile));
  return metafile;
}

/** Each bundled package with the text of its licence. */
function licences({ inputs }: Metafile): string {
  const folders = Object.keys(inputs).flatMap(
    (path) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  );
  return [...new Set(folders)]
    .sort()
    .map((folder) => `${folder.replace('node_modules/', '')}\n\n${licenceIn(join(ROOT, folder))}`)
    .join(`\n${'-'.repeat(80)}\n\n`);
}

function licenceIn(folder: string): string {
  const file = existsSync(folder) && readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  if (!file) throw new Error(`${folder} has no file with its licence.`);
  return `${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildCli(join(ROOT, 'dist/cli'));
