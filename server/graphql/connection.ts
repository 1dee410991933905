/** Pages of an instance's deployments, as Relay has them. A cursor says where it stands in the order, and is good also when what it named is gone. */
import { BacktrailError } from '../../engine/index.ts';
import {
  actionOf,
  createdAtOf,
  type Deployed,
  type DeploymentNode,
  idOf,
  type Known,
  nodeOf,
  statusOf,
  updatedAtOf,
  versionOf,
} from './deployments.ts';

export interface PageAsk {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly filter?: { readonly action?: string | null; readonly status?: string | null } | null;
  readonly sortBy?: 'CREATED_AT' | 'UPDATED_AT' | 'VERSION' | null;
  readonly sortOrder?: 'ASC' | 'DESC' | null;
}

interface Edge {
  readonly cursor: string;
  readonly node: DeploymentNode;
}

export interface Connection {
  readonly edges: readonly Edge[];
  readonly nodes: readonly DeploymentNode[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  readonly totalCount: number;
}

type Place = readonly [value: string | number, id: string];

const MOST = 100;
const USUAL = 20;

/** @throws INVALID_REQUEST for a page or a cursor that is none */
export async function connectionOf(known: Known, ask: PageAsk): Promise<Connection> {
  const { filter } = ask;
  const first = ask.first ?? USUAL;
  const sortBy = ask.sortBy ?? 'CREATED_AT';
  const sortOrder = ask.sortOrder ?? 'DESC';
  if (first < 1 || first > MOST)
    throw new BacktrailError('INVALID_REQUEST', `\`first\` is between 1 and ${MOST}.`);
  const after = typeof ask.after === 'string' ? placeIn(ask.after, sortBy) : null;
  const passing = (await known.all()).filter(
    (each) =>
      (!filter?.action || actionOf(each) === filter.action) &&
      (!filter?.status || statusOf(each) === filter.status),
  );
  const placed = await Promise.all(
    passing.map(async (deployed) => ({ deployed, place: await placeOf(known, deployed, sortBy) })),
  );
  const sign = sortOrder === 'ASC' ? 1 : -1;
  const sorted = placed.toSorted((one, other) => sign * compare(one.place, other.place));
  const rest = after === null ? sorted : sorted.filter(({ place }) => sign * compare(place, after) > 0);
  const edges = rest
    .slice(0, first)
    .map(({ deployed, place }) => ({ cursor: cursorOf(sortBy, place), node: nodeOf(known, deployed) }));
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: rest.length > first,
      hasPreviousPage: rest.length < sorted.length,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: sorted.length,
  };
}

async function placeOf(known: Known, deployed: Deployed, sortBy: string): Promise<Place> {
  const id = idOf(deployed);
  if (sortBy === 'VERSION') return [(await versionOf(known, deployed)) ?? 0, id];
  return [sortBy === 'UPDATED_AT' ? updatedAtOf(deployed) : createdAtOf(deployed), id];
}

function compare([one, oneId]: Place, [other, otherId]: Place): number {
  if (one !== other) return one < other ? -1 : 1;
  if (oneId === otherId) return 0;
  return oneId < otherId ? -1 : 1;
}

const cursorOf = (sortBy: string, place: Place) =>
  Buffer.from(JSON.stringify([sortBy, ...place])).toString('base64url');

function placeIn(cursor: string, sortBy: string): Place {
  let read: unknown = null;
  try {
    read = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    // It is none of ours.
  }
  const [by, value, id]: readonly unknown[] = Array.isArray(read) ? read : [];
  const isValue = typeof value === (sortBy === 'VERSION' ? 'number' : 'string');
  if (
    by === sortBy &&
    isValue &&
    (typeof value === 'string' || typeof value === 'number') &&
    typeof id === 'string'
  )
    return [value, id];
  throw new BacktrailError('INVALID_REQUEST', '`after` is not a cursor of this order.');
}
