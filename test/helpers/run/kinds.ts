import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Whoever loads one of these may start a process or speak to a server. */
const IMPURE =
  /^(node:(child_process|cluster|dgram|http2?|https|net|tls|worker_threads)|bullmq|ioredis|simple-git|playwright-core)$/;
const IMPORT =
  /^(?:import|export)\s(?!type\s)[^;]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm;

/** A worker has much more memory once it has loaded one of these. */
const LARGE = /^(fastify|playwright-core)$/;

/** Test files, each of one kind. */
export interface Kinds {
  /** They start no process and know no server: nothing that they import, followed to the end, can. `npm run test:fast` runs these. */
  readonly fast: string[];
  /** Of the server and the page. */
  readonly serving: string[];
  readonly full: string[];
}

/** The test files below a folder. */
export function kindsOfTests(folder: string): Kinds {
  const imports = new Map<string, readonly Import[]>();
  /** What a file imports, and what that imports, to the end; names of packages among it. */
  const reached = (file: string, isFollowed: (each: Import) => boolean): ReadonlySet<string> => {
    const found = new Set([file]);
    for (const each of found)
      for (const { from } of importsOf(each, imports).filter(isFollowed))
        found.add(from.startsWith('.') ? join(dirname(each), from) : from);
    return found;
  };
  const kindOf = (file: string): keyof Kinds => {
    if ([...reached(file, ({ isLazy }) => !isLazy)].some((name) => LARGE.test(name))) return 'serving';
    return [...reached(file, () => true)].some((name) => IMPURE.test(name)) ? 'full' : 'fast';
  };
  const kinds: Kinds = { fast: [], serving: [], full: [] };
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const file = join(folder, name);
    if (file.endsWith('.test.ts')) kinds[kindOf(file)].push(file);
  }
  return kinds;
}

interface Import {
  readonly from: string;
  /** Loaded when it is needed, which may be never. */
  readonly isLazy: boolean;
}

function importsOf(file: string, known: Map<string, readonly Import[]>): readonly Import[] {
  const found = known.get(file) ?? readImports(file);
  known.set(file, found);
  return found;
}

function readImports(file: string): readonly Import[] {
  if (!file.endsWith('.ts')) return [];
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(([, from, bare, lazy]) => ({
    from: from ?? bare ?? lazy ?? '',
    isLazy: lazy !== undefined,
  }));
}
