/** What the history of a tree says of its environments: changes that walk from one to the next, and commits that stay in one. */
import type { Entry, LogCommit } from '../../model/index.ts';
import type { Layout } from '../../layout/layout.ts';
import { type Bindings, bindPath } from '../../layout/pattern.ts';

export interface Past {
  /** The newest commits of the branch, the oldest of them first. */
  commits(): Promise<readonly Pick<LogCommit, 'changes'>[]>;
  /** The text of a file; null for what has none, or is large. */
  text(entry: Entry): Promise<string | null>;
}

export interface Walks {
  /** Changes that came to a second environment, and had come to another one before, in a commit of their own. */
  readonly promotions: number;
  /** Commits of several files, all of one environment, and those of several environments. */
  readonly within: number;
  readonly across: number;
}

/** Files of a commit above which it says nothing: bots and reformatting change everything at once. */
const FILES = 20;
/** Changes that are read. */
const READ = 400;
/** What is promoted is a version of something: a text that is translated into one language after another is none. */
const VERSION = /(?:image|tag|version|revision|digest|chart|sha)\w*["']?\s*[:=]/i;
/** Characters of what was added in one file. */
const ADDED = 4000;

export async function walksIn(past: Past, layout: Layout): Promise<Walks> {
  const placeOf = placer(layout);
  const seen = new Map<string, Set<string>>();
  let [promotions, within, across, left] = [0, 0, 0, READ];
  for (const { changes } of await past.commits()) {
    if (changes.length > FILES) continue;
    const places = changes.flatMap((change) => {
      const place = placeOf(change.path);
      return place === null ? [] : [{ ...change, ...place }];
    });
    if (places.length > 1) {
      if (new Set(places.map(({ environment }) => environment)).size === 1) within += 1;
      else across += 1;
    }
    const walked: { readonly key: string; readonly environment: string }[] = [];
    for (const { before, after, environment, rest } of places) {
      if (before === null || after === null || left <= 0) continue;
      left -= 1;
      const added = addedLines(await past.text(before), await past.text(after));
      if (added === null || !VERSION.test(added)) continue;
      const key = JSON.stringify([rest, added.replaceAll(environment, '')]);
      walked.push({ key, environment });
      const others = seen.get(key);
      if (others && !others.has(environment)) promotions += 1;
    }
    for (const { key, environment } of walked) seen.set(key, (seen.get(key) ?? new Set()).add(environment));
  }
  return { promotions, within, across };
}

/** The environment that holds a path (with its tenant), and the rest of the path, which is the same in each environment. */
function placer(layout: Layout): (path: string) => { environment: string; rest: string } | null {
  const patterns = [...layout.service, ...layout.environment].map((pattern) => bindPath(pattern, {}));
  const known = new Map<string, { environment: string; rest: string } | null>();
  const find = (path: string) => {
    for (const pattern of patterns) {
      const bindings: Bindings | null = pattern.match(path);
      const { environment } = bindings ?? {};
      if (bindings === null || environment === undefined || layout.isIgnored({ ...bindings, service: '' }))
        continue;
      return { environment, rest: path.split(environment).join('\0') };
    }
    return null;
  };
  return (path) => {
    const found = known.has(path) ? (known.get(path) ?? null) : find(path);
    known.set(path, found);
    return found;
  };
}

/** null where nothing was added, or too much to be one step of something. */
function addedLines(before: string | null, after: string | null): string | null {
  if (before === null || after === null) return null;
  const old = new Set(before.split('\n').map((line) => line.trim()));
  const added = after.split('\n').filter((line) => !old.has(line.trim()));
  const text = added.map((line) => line.trim()).join('\n');
  return text === '' || text.length > ADDED ? null : text;
}

/** Promotions from which on a history has a say. */
const FEW = 3;
/** Commits of several files from which on it has. */
const SOME = 8;

/**
 * Which of some layouts the history confirms: the only one whose environments versions are promoted through, or, of several, the only one whose
 * environments are changed one at a time; -1: none.
 */
export function confirmedBy(walks: readonly Walks[]): number {
  const most = Math.max(...walks.map(({ promotions }) => promotions));
  if (most >= FEW) {
    const [first, ...others] = indexes(walks, ({ promotions }) => promotions * 3 > most);
    return first !== undefined && others.length === 0 ? first : -1;
  }
  if (walks.length < 2) return -1;
  const share = ({ within, across }: Walks) => (within + across < SOME ? -1 : within / (within + across));
  const [first, ...others] = indexes(walks, (one) => share(one) < 0 || share(one) > 0.5);
  const best = walks[first ?? -1];
  return first !== undefined && others.length === 0 && best && share(best) >= 0.8 ? first : -1;
}

const indexes = (walks: readonly Walks[], holds: (one: Walks) => boolean) =>
  walks.flatMap((one, index) => (holds(one) ? [index] : []));
