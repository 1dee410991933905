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
  const tests = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name))
    .toSorted();
  const imports: Import[] = [];
  const reached = new Set(tests);
  for (const by of reached)
    for (const each of readImports(by)) {
      imports.push(each);
      reached.add(each.from);
    }
  const large = whoReaches(
    LARGE,
    imports.filter(({ isLazy }) => !isLazy),
  );
  const impure = whoReaches(IMPURE, imports);
  return {
    fast: tests.filter((file) => !large.has(file) && !impure.has(file)),
    serving: tests.filter((file) => large.has(file)),
    full: tests.filter((file) => !large.has(file) && impure.has(file)),
  };
}

interface Import {
  readonly by: string;
  /** A path, or a package. */
  readonly from: string;
  /** Loaded when it is needed, which may be never. */
  readonly isLazy: boolean;
}

/** Files whose imports, followed to the end, come to one of these packages. */
function whoReaches(packages: RegExp, imports: readonly Import[]): ReadonlySet<string> {
  const importers = new Map<string, string[]>();
  for (const { by, from } of imports) importers.set(from, [...(importers.get(from) ?? []), by]);
  const found = new Set([...importers.keys()].filter((name) => packages.test(name)));
  for (const each of found) for (const by of importers.get(each) ?? []) found.add(by);
  return found;
}

function readImports(file: string): readonly Import[] {
  if (!file.endsWith('.ts')) return [];
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(([, named, bare, lazy]) => {
    const from = named ?? bare ?? lazy ?? '';
    return {
      by: file,
      from: from.startsWith('.') ? join(dirname(file), from) : from,
      isLazy: lazy !== undefined,
    };
  });
}
