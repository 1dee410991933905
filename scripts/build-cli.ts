/**
 * Makes dist/cli of the command line: a small bundle that reads the line, and one of all commands, because to find, read and compile
 * hundreds of modules takes most of the time of a short command. Beside them: the table of commands (cli/start/usage.ts), and the licences
 * of the packages that are bundled. What is large and seldom needed stays a package of its own (EXTERNAL).
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';
import { readEnvironment } from '../cli/environment.ts';
import { readUsage } from '../cli/start/program.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const EXTERNAL = [
  '@escape.tech/*',
  '@fastify/helmet',
  '@fastify/rate-limit',
  '@fastify/sse',
  '@fastify/swagger',
  '@modelcontextprotocol/server',
  'bullmq',
  'fastify',
  'fastify-zod-openapi',
  'graphql',
  'graphql-yoga',
  'ioredis',
  'isomorphic-git',
  'pino',
  'prom-client',
  'simple-git',
  // It has no file with its licence, which a bundle would have to hold.
  'standardwebhooks',
];

/**
 * What two packages ask for and we have no use for: commander's way to run commands that are programs of their own, which takes
 * milliseconds to load, and zod's messages in all languages but English, a sixth of the bundle.
 */
const WITHOUT: Plugin = {
  name: 'without',
  setup(build) {
    const none = (asks: RegExp) => (args: { readonly importer: string }) =>
      asks.test(args.importer) ? { path: 'none', namespace: 'without' } : undefined;
    build.onResolve({ filter: /^node:child_process$/ }, none(/node_modules.commander/));
    build.onResolve({ filter: /^\.\.\/locales\/index\.js$/ }, none(/node_modules.zod/));
    build.onLoad({ filter: /.*/, namespace: 'without' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/**
 * secretlint is one and a half megabytes and seldom needed: a file of its own, which is loaded when a text may hold a secret. Its packages
 * are modules only, which a script that is kept compiled cannot import.
 */
const SECRETLINT = 'secretlint.cjs';
const SECRETLINT_APART: Plugin = {
  name: 'secretlint-apart',
  setup(build) {
    build.onResolve({ filter: /\/secretlint\.ts$/ }, () => ({ path: `./${SECRETLINT}`, external: true }));
  },
};

/** `plugins` see each file of the commands before it is bundled. */
export async function buildCli(folder: string, plugins: readonly Plugin[] = []): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const both = {
    absWorkingDir: ROOT,
    outdir: folder,
    bundle: true,
    platform: 'node' as const,
    target: 'node20',
    mainFields: ['module', 'main'],
    minify: true,
    legalComments: 'none' as const,
    metafile: true as const,
    logLevel: 'warning' as const,
  } satisfies BuildOptions;
  const main = await build({
    ...both,
    entryPoints: ['cli/main.ts'],
    chunkNames: 'chunks/[name]-[hash]',
    splitting: true,
    format: 'esm',
    // Which it only runs where nothing is built.
    external: [...EXTERNAL, './start/program.ts'],
    plugins: [WITHOUT, SECRETLINT_APART, ...plugins],
    // For the packages that are written for `require`.
    banner: {
      js: "import { createRequire as backtrailRequire } from 'node:module'; const require = backtrailRequire(import.meta.url);",
    },
  });
  // CommonJS in one file, of which each module runs when it is first needed: V8 can keep that compiled (cli/start/compiled.ts).
  const commands = await build({
    ...both,
    entryPoints: { commands: 'cli/start/program.ts' },
    entryNames: '[name]-[hash]',
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    external: EXTERNAL,
    plugins: [WITHOUT, SECRETLINT_APART, ...plugins],
    charset: 'ascii',
    define: { 'import.meta.url': 'backtrailUrl' },
    // Node warns of an experiment where a script that it did not load itself imports something.
    supported: { 'dynamic-import': false },
    banner: { js: "const backtrailUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
  const secretlint = await build({
    ...both,
    entryPoints: { secretlint: 'engine/snapshot/secrets/secretlint.ts' },
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    charset: 'ascii',
  });
  const [code = ''] = Object.keys(commands.metafile.outputs).map((path) => basename(path));
  const usage = await readUsage(readEnvironment());
  writeFileSync(join(folder, 'usage.json'), `${JSON.stringify({ ...usage, code }, null, 1)}\n`);
  writeFileSync(
    join(folder, 'LICENSES.txt'),
    licences([main.metafile, commands.metafile, secretlint.metafile]),
  );
}

/** Each bundled package with the text of its licence. */
function licences(files: readonly Metafile[]): string {
  const paths = files.flatMap(({ inputs }) => Object.keys(inputs));
  const folders = paths.flatMap((path) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
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

if (process.argv[1] === fileURLToPath(import.meta.url))
  await buildCli(process.argv[2] ?? join(ROOT, 'dist/cli'));
