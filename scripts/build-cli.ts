/**
 * Makes dist/cli of the command line: one bundle, in pieces that are loaded when they are needed, because to find, read and compile
 * hundreds of modules takes most of the time of a short command. Beside it: the table of commands (cli/usage.ts), and the licences of
 * the packages that are bundled. What is large and seldom needed stays a package of its own (EXTERNAL).
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { readEnvironment } from '../cli/environment.ts';
import { readUsage } from '../cli/program.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = join(ROOT, 'dist/cli');
const EXTERNAL = ['bullmq', 'ioredis', 'isomorphic-git', 'pino', 'simple-git'];

rmSync(OUT, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: ROOT,
  entryPoints: ['cli/main.ts'],
  outdir: OUT,
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
  // For the packages that are written for `require`.
  banner: {
    js: "import { createRequire as backtrailRequire } from 'node:module'; const require = backtrailRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
writeFileSync(join(OUT, 'usage.json'), `${JSON.stringify(await readUsage(readEnvironment()), null, 1)}\n`);
writeFileSync(join(OUT, 'LICENSES.txt'), licences(metafile));

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
