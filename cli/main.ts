#!/usr/bin/env node
/** Where nothing is built, the sources are run; else two scripts of which V8 has kept what it compiled (scripts/build-cli.ts). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolderOf } from './start/cache-folder.ts';
import { loadScript } from './start/compiled.ts';
import { tuneNode } from './start/tune.ts';
import type { Usage } from './start/usage.ts';

void start(process.argv).then((code) => {
  process.exitCode = code;
});

async function start(argv: readonly string[]): Promise<number> {
  const built = readBuilt();
  if (built === undefined) return startSources(argv);
  const cacheFolder = knownCacheFolder();
  // Node's own switch, for the same: what is compiled is not kept.
  const isKept = cacheFolder !== null && !process.env['NODE_DISABLE_COMPILE_CACHE'];
  const folder = isKept ? join(cacheFolder, 'compiled') : null;
  const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url));
  // Whichever command is meant is one of the words; where none is, no command is run.
  const names = new Set(built.commands.map(({ name }) => name));
  const word = argv.find((word) => names.has(word));
  const [isLong, isIncident] = [argv.includes('worker'), argv.includes('incident')];
  if (word !== undefined && cacheFolder !== null)
    tuneNode(cacheFolder, { isLong, isLarge: isLong || isIncident });
  const reader = { file: pathOf(built.readerScript), folder, purpose: word ?? 'none' };
  return loadScript('reader', reader).runBuilt(argv, built, (command) =>
    loadScript('commands', { file: pathOf(built.commandsScript), folder, purpose: command }),
  );
}

/** null for a user without a home, who is told of it when the environment is read. */
function knownCacheFolder(): string | null {
  try {
    return cacheFolderOf(process.env);
  } catch {
    return null;
  }
}

async function startSources(argv: readonly string[]): Promise<number> {
  const [{ withEnvironment }, { runProgram }] = await Promise.all([
    import('./start/run.ts'),
    import('./start/program.ts'),
  ]);
  return withEnvironment((environment) => runProgram(argv, environment));
}

/** What the build leaves beside this file: the table of commands, and the names of the two scripts. */
interface Built extends Usage {
  readonly readerScript: string;
  readonly commandsScript: string;
}

function readBuilt(): Built | undefined {
  try {
    const built: Built = JSON.parse(readFileSync(new URL('./usage.json', import.meta.url), 'utf8'));
    return built;
  } catch {
    return undefined;
  }
}
