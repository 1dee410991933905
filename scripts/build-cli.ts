/**
 * Makes dist/cli of the command line: a script that reads the line, and one of all commands, because to find, read and compile
 * hundreds of modules takes most of the time of a short command. Beside them: the table of commands (cli/start/usage.ts), and the licences
 * of the packages that are bundled. What is large and seldom needed stays a package of its own (EXTERNAL).
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';
import { readEnvironment } from '../cli/environment.ts';
import { readUsage } from '../cli/start/program.ts';
import { DEFAULT_IMPORT, lazyModules } from './cli/lazy-modules.ts';

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

const BANNER = `const backtrailUrl = require('node:url').pathToFileURL(__filename).href; ${DEFAULT_IMPORT}`;

/** CommonJS in one file, of which each module runs when it is first needed: V8 can keep that compiled (cli/start/compiled.ts). */
const SCRIPT: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  external: EXTERNAL,
  mainFields: ['module', 'main'],
  minify: true,
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
  // Node warns of an experiment where a script that it did not load itself imports something.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'backtrailUrl' },
  banner: { js: BANNER },
};

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
    build.onResolve({ filter: /^\.\.\/locales\/index\.c?js$/ }, none(/node_modules.zod/));
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

/** `mark` gives what is added to a source of the command line, by its path. */
export async function buildCli(folder: string, mark?: (path: string) => string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const script = (options: BuildOptions) =>
    build({ ...SCRIPT, absWorkingDir: ROOT, outdir: folder, ...options, metafile: true });
  const lazy = {
    plugins: [WITHOUT, SECRETLINT_APART, lazyModules(ROOT, mark)],
    entryNames: '[name]-[hash]',
    // Here, not where it is loaded: megabytes would be copied at each start.
    banner: { js: `(function (exports, require, module, __filename, __dirname) {${BANNER}` },
    footer: { js: 'return module.exports; })' },
  };
  const [main, reader, commands, secretlint] = await Promise.all([
    // It only imports where nothing is built.
    script({
      entryPoints: ['cli/main.ts'],
      outExtension: {},
      external: ['./start/run.ts', './start/program.ts'],
    }),
    script({ ...lazy, entryPoints: { reader: 'cli/start/run.ts' } }),
    script({ ...lazy, entryPoints: { commands: 'cli/start/program.ts' } }),
    script({ entryPoints: { secretlint: 'engine/snapshot/secrets/secretlint.ts' } }),
  ]);
  const nameOf = ({ outputs }: Metafile) => Object.keys(outputs).map((path) => basename(path))[0];
  const scripts = { readerScript: nameOf(reader.metafile), commandsScript: nameOf(commands.metafile) };
  const usage = await readUsage(readEnvironment());
  writeFileSync(join(folder, 'usage.json'), `${JSON.stringify({ ...usage, ...scripts }, null, 1)}\n`);
  // The package's own files are ES modules, which take longer to load.
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
  writeFileSync(
    join(folder, 'LICENSES.txt'),
    licences([main, reader, commands, secretlint].map(({ metafile }) => metafile)),
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
