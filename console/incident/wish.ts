/** What is chosen, as the address of the page says it: it can be pasted to others. More than an address holds is kept in this tab alone. */
import type { Draft } from './draft.ts';

export type Wish = Pick<Draft, 'scopes' | 'to' | 'atomic'>;

/** Characters: servers and what stands before them refuse longer ones. */
const LONGEST = 4000;

export interface Addressed extends Wish {
  /** The address speaks of a choice that was too long for it, and that this tab does not have. */
  readonly isLost: boolean;
}

/** `search`: what stands behind `?`. */
export function wishOf(search: string, draft: Draft): Addressed {
  const query = new URLSearchParams(search);
  const kept = query.get('draft');
  const scopes = [...new Set(query.getAll('scope').filter((scope) => scope.trim() !== ''))];
  return {
    scopes: kept !== null && kept === draft.id ? draft.scopes : scopes,
    to: query.get('to') || 'previous',
    atomic: query.get('atomic') === 'yes',
    isLost: kept !== null && kept !== draft.id,
  };
}

export function wishPath({ scopes, to, atomic }: Wish, id: string): string {
  const more: [string, string][] = [];
  if (to !== 'previous') more.push(['to', to]);
  if (atomic) more.push(['atomic', 'yes']);
  const named = new URLSearchParams([...scopes.map((scope): [string, string] => ['scope', scope]), ...more]);
  const path = `/incident?${named.toString()}`;
  return path.length <= LONGEST
    ? path
    : `/incident?${new URLSearchParams([['draft', id], ...more]).toString()}`;
}

export const followPath = (id: string): string => `/incident?id=${encodeURIComponent(id)}`;
