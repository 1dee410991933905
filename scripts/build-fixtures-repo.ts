/**
 * Builds the example repository of fixtures-repo/ with its whole history:
 *
 *     npm run fixtures -- DIRECTORY [--bare]
 *     npm run fixtures -- --update-delivery     renders fixtures-repo/delivery anew
 *
 * The same files give the same commit ids, on every machine.
 */
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deliver } from './fixtures/deliver.ts';
import type { Files } from './fixtures/files.ts';
import { parseHistory } from './fixtures/history.ts';
import { importCommits } from './fixtures/import.ts';
import { replay } from './fixtures/replay.ts';

export const FIXTURES = fileURLToPath(new URL('../fixtures-repo', import.meta.url));

export interface FixtureCommit {
  readonly id: string;
  /** The name that history.yaml gives it, for those that others speak of: `good`, `incident`, … */
  readonly key: string | null;
  readonly subject: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** false: it came in by a merge. */
  readonly onMain: boolean;
}

export interface Fixtures {
  readonly directory: string;
  /** Oldest first. */
  readonly commits: readonly FixtureCommit[];
  /** The id of the commit with this key. Throws where there is none. */
  id(key: string): string;
}

/** Builds into `directory`, which is made, and must be empty where it exists. */
export async function buildFixturesRepo(
  directory: string,
  options: { bare?: boolean } = {},
): Promise<Fixtures> {
  mkdirSync(directory, { recursive: true });
  if (readdirSync(directory).length > 0) throw new Error(`${directory} is not empty.`);
  const history = parseHistory(readFileSync(join(FIXTURES, 'history.yaml'), 'utf8'));
  const replayed = await replay(history, readInitialTree());
  const ids = importCommits(directory, replayed, { bare: options.bare ?? false });
  const commits = replayed.map(({ mark, key, message, time, onMain }) => ({
    id: ids.get(mark) ?? '',
    key: key ?? null,
    subject: message.split('\n')[0] ?? '',
    time: new Date(time * 1000).toISOString(),
    onMain,
  }));
  return { directory, commits, id: (key) => idOf(commits, key) };
}

function idOf(commits: readonly FixtureCommit[], key: string): string {
  const commit = commits.find((candidate) => candidate.key === key);
  if (!commit) throw new Error(`history.yaml has no commit with the key ${key}.`);
  return commit.id;
}

const NOT_OF_THE_TREE = ['README.md', 'history.yaml', '.gitattributes'];

/** The checked-in tree: what the first commit imports. */
export function readInitialTree(): Files {
  const files: Files = new Map();
  for (const entry of readdirSync(FIXTURES, { recursive: true, withFileTypes: true })) {
    const path = relative(FIXTURES, join(entry.parentPath, entry.name)).split(sep).join('/');
    if (entry.isFile() && !NOT_OF_THE_TREE.includes(path))
      files.set(path, readFileSync(join(FIXTURES, path), 'utf8'));
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function updateDelivery(): Promise<void> {
  const files = readInitialTree();
  await deliver(files, [...files.keys()]);
  rmSync(join(FIXTURES, 'delivery'), { recursive: true, force: true });
  for (const [path, text] of files) {
    if (!path.startsWith('delivery/')) continue;
    mkdirSync(dirname(join(FIXTURES, path)), { recursive: true });
    writeFileSync(join(FIXTURES, path), text);
  }
}

async function main(args: readonly string[]): Promise<number> {
  if (args.length === 1 && args[0] === '--update-delivery') {
    await updateDelivery();
    return 0;
  }
  const [directory, ...others] = args.filter((arg) => arg !== '--bare');
  if (directory === undefined || directory.startsWith('-') || others.length > 0) {
    process.stderr.write('Usage: npm run fixtures -- DIRECTORY [--bare] | --update-delivery\n');
    return 2;
  }
  const { commits } = await buildFixturesRepo(directory, { bare: args.includes('--bare') });
  for (const { id, key, subject } of commits)
    process.stdout.write(`${id.slice(0, 10)} ${subject}${key === null ? '' : `  (${key})`}\n`);
  return 0;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  process.exitCode = await main(process.argv.slice(2));
