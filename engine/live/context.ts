/** What observers may ask of Git. */
import {
  isFailure,
  isObjectId,
  type LiveTarget,
  type ObjectId,
  type Relation,
  type RepositoryReader,
} from '../model/index.ts';
import { repositoryKey } from '../record/place.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { manifestsAt } from './manifests.ts';
import type { DeclaredObject, ObserverContext } from './observer.ts';

interface ContextInput {
  readonly snapshot: Snapshot;
  readonly git: Pick<RepositoryReader, 'isAncestor'>;
  /** Addresses of this repository, besides those that its configuration names. */
  readonly addresses: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

export function observerContext({ snapshot, git, addresses, now }: ContextInput): ObserverContext {
  const { repository, holds } = snapshot.layout.config;
  const own = new Set(
    [...repository, ...holds.sources, ...addresses].flatMap((each) => repositoryKey(each) ?? []),
  );
  const relations = new Map<string, Promise<Relation>>();
  const objects = new Map<LiveTarget, Promise<readonly DeclaredObject[]>>();
  const relation = (revision: string, ours: ObjectId): Promise<Relation> => {
    const key = `${revision} ${ours}`;
    const known = relations.get(key) ?? relate({ snapshot, git }, revision, ours);
    relations.set(key, known);
    return known;
  };
  return {
    relation,
    isOurs: (address) => {
      const key = repositoryKey(address);
      return key !== null && own.has(key);
    },
    isLater: async (revision, { next }) => next !== null && (await relation(revision, next)) === 'contains',
    manifests: (target) => {
      const known = objects.get(target) ?? manifestsAt(snapshot, target, target.contains);
      objects.set(target, known);
      return known;
    },
    now,
  };
}

/** Mostly by the line of the branch; what is elsewhere is asked of git. */
async function relate(
  { snapshot, git }: Pick<ContextInput, 'snapshot' | 'git'>,
  revision: string,
  ours: ObjectId,
): Promise<Relation> {
  if (!isObjectId(revision)) return 'unknown';
  if (revision === ours) return 'contains';
  const positions = await snapshot.positions();
  const [theirs, own] = [positions.get(revision), positions.get(ours)];
  if (theirs !== undefined && own !== undefined) return theirs < own ? 'contains' : 'before';
  try {
    await snapshot.reader.commit(revision);
  } catch (error) {
    if (isFailure(error)) return 'unknown';
    throw error;
  }
  if (await git.isAncestor(ours, revision)) return 'contains';
  return (await git.isAncestor(revision, ours)) ? 'before' : 'elsewhere';
}
