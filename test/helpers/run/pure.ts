import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Whoever loads one of these may start a process or speak to a server. */
const IMPURE =
  /^(node:(child_process|cluster|dgram|http2?|https|net|tls|worker_threads)|bullmq|ioredis|simple-git|playwright-core)$/;
const IMPORT =
  /^(?:import|export)\s(?!type\s)[^;]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm;

/**
 * The test files below a folder that start no process and know no server: nothing that they import, followed to the
 * end, can. These are the tests that `npm run test:fast` runs.
 */
export function pureTests(folder: string): { pure: string[]; others: string[] } {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name))
    .toSorted();
  const imports = new Map<string, string[]>();
  const importsOf = (file: string) => {
    const found = imports.get(file) ?? readImports(file);
    imports.set(file, found);
    return found;
  };
  const isPure = (file: string): boolean => {
    const reached = new Set([file]);
    for (const each of reached)
      for (const imported of importsOf(each)) {
        if (IMPURE.test(imported)) return false;
        if (imported.startsWith('.')) reached.add(join(dirname(each), imported));
      }
    return true;
  };
  const pure = files.filter(isPure);
  return { pure, others: files.filter((file) => !pure.includes(file)) };
}

function readImports(file: string): string[] {
  if (!file.endsWith('.ts')) return [];
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(
    ([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '',
  );
}
