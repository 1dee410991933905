/** The index of a large ledger, from the cache folder, brought up to what came since. */
import type { ObjectId } from '../../model/index.ts';
import type { GitRepository } from '../../git/open.ts';
import { requestPath, type RequestFile } from '../../record/ledger-file.ts';
import { latestOf, readCommits, type LedgerCommit, type Version, versionsOf } from './commits.ts';
import {
  knownOf,
  type KnownRequest,
  type LedgerIndex,
  lineOf,
  parseIndex,
  printIndex,
  versionsIn,
} from './index-file.ts';

/** null: it is not known whether there is one. */
export type KnownIndex = { readonly tip: ObjectId; readonly reading: Promise<LedgerIndex | null> } | null;

interface Log {
  readonly tip: ObjectId;
  readonly commits: readonly LedgerCommit[];
  readonly versions: ReadonlyMap<string, readonly Version[]>;
}

/** Requests from which on an index is kept: fewer are read as quickly without one. */
export const INDEX_FROM = 1000;
/** New commits from which on it is written again: fewer are looked at each time. */
const INDEX_STEP = 500;

interface IndexPlace {
  readonly git: GitRepository;
  readonly ref: string;
  readonly cache: { index: KnownIndex };
}

/** The index, brought up to this tip; null where there is none that leads there. */
export function readIndex(
  place: IndexPlace,
  tip: ObjectId,
  read: (path: string, blob: ObjectId) => Promise<RequestFile>,
): Promise<LedgerIndex | null> {
  const { cache } = place;
  if (cache.index?.tip === tip) return cache.index.reading;
  const before = cache.index?.reading ?? null;
  const reading = continueIndex(place, tip, before, read);
  const index = { tip, reading };
  cache.index = index;
  reading.catch(() => {
    if (cache.index === index) cache.index = null;
  });
  return reading;
}

async function continueIndex(
  { git, ref }: IndexPlace,
  tip: ObjectId,
  reading: Promise<LedgerIndex | null> | null,
  read: (path: string, blob: ObjectId) => Promise<RequestFile>,
): Promise<LedgerIndex | null> {
  const known = await (reading?.catch(() => null) ?? null);
  const text = known === null ? await git.ledger.index.read(ref) : null;
  const before = known ?? (text === null ? null : parseIndex(text));
  if (before === null || before.tip === tip) return before;
  if (!(await git.isAncestor(before.tip, tip).catch(() => false))) return null;
  const commits = await readCommits(git, { tip, after: before.tip, latest: before.latest });
  const versions = new Map<string, Version[]>();
  for (const commit of commits)
    for (const [path, version] of versionsOf(commit))
      versions.set(path, [...(versions.get(path) ?? []), version]);
  const lines = new Map(before.lines);
  for (const [path, fresh] of versions) {
    if (!path.startsWith('requests/')) continue;
    const blob = fresh.at(-1)?.blob ?? null;
    // Not written by Backtrail: whoever reads all files sees what it is.
    if (blob === null) return null;
    const line = lines.get(path);
    const all = [...(line === undefined ? [] : versionsIn(line)), ...fresh];
    lines.set(path, lineOf(knownOf(await read(path, blob)), all));
  }
  const index = { tip, latest: Math.max(before.latest, latestOf(commits)), lines };
  if (commits.length >= INDEX_STEP) await git.ledger.index.write(ref, printIndex(index));
  return index;
}

export async function writeIndex(
  { git, ref, cache }: IndexPlace,
  all: readonly KnownRequest[],
  { tip, commits, versions }: Log,
): Promise<void> {
  const lines = new Map(
    all.map((known) => {
      const path = requestPath(known.id);
      return [path, lineOf(known, versions.get(path) ?? [])];
    }),
  );
  const index = { tip, latest: latestOf(commits), lines };
  cache.index = { tip, reading: Promise.resolve(index) };
  await git.ledger.index.write(ref, printIndex(index));
}
