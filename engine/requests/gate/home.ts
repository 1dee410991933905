/** Whether what the ledger says was said for this place: a copy of a repository has its votes, and they do not count there. */
import { BacktrailError, type LedgerRequest, type Review, type VotePlace } from '../../model/index.ts';
import { isFor } from '../../record/place.ts';
import type { Rules } from '../context.ts';

/** Whether this repository is one of those that the configuration names; where it names none, any is. */
export const isHome = ({ home }: Pick<Rules, 'home'>): boolean =>
  home.repositories.length === 0 || home.here !== null;

/** What an event that is written here says of its place. */
export const placeIn = ({ home }: Pick<Rules, 'home'>): { readonly place?: VotePlace } =>
  home.here === null ? {} : { place: home.here };

/**
 * Before anything is asked for, voted on or executed: nothing is written in a copy that would count at home, or the other way round.
 *
 * @throws PLACE_DIFFERS
 */
export function requireHome(rules: Pick<Rules, 'home'>): void {
  if (isHome(rules)) return;
  const { address, repositories } = rules.home;
  throw new BacktrailError(
    'PLACE_DIFFERS',
    `This repository is published to ${address}, and the configuration says that it is at home at ${listed(repositories)}.`,
    {
      hint: 'Work on it where it is at home; or, where both are the same, name this address in `repository` of the configuration too.',
      details: { address, repository: repositories },
    },
  );
}

/** Nobody may decide on, or execute, what was asked for elsewhere. @throws PLACE_DIFFERS */
export function requireAskedHere(rules: Pick<Rules, 'home'>, { id, place }: LedgerRequest): void {
  requireHome(rules);
  if (isFor(rules.home, place)) return;
  throw new BacktrailError('PLACE_DIFFERS', elsewhere(`Request ${id}`, place, rules), {
    details: { requestId: id, ...(place && { place }) },
  });
}

/** `Request rbk-… was asked for at git.example.com/acme/config (main), and this is another place.` */
export function elsewhere(what: string, place: VotePlace | undefined, { home }: Pick<Rules, 'home'>): string {
  const own =
    home.repositories.length === 0
      ? 'and the configuration names no repository'
      : `and not for ${listed(home.repositories)}${home.branch === null ? '' : ` (${home.branch})`}`;
  return `${what} is for ${placeText(place)}, ${own}.`;
}

const placeText = (place: VotePlace | undefined) =>
  place === undefined ? 'no place' : `${place.repository} (${place.branch})`;

/** Votes of the ledger that are for another place than this. */
export const votedElsewhere = (
  { home }: Pick<Rules, 'home'>,
  { reviews }: LedgerRequest,
): readonly Review[] => reviews.filter(({ place }) => !isFor(home, place));

const listed = (repositories: readonly string[]) => repositories.join(', ');
