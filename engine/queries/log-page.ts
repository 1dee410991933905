/** Pages of the two lists of the Git log: one text says where both go on. */
import { BacktrailError, type ObjectId } from '../model/index.ts';

/** The last entry that was shown: the n-th of its commit in its list, from 0. */
interface LogMark {
  readonly commit: ObjectId;
  readonly nth: number;
}

/** null: from the beginning; `end`: there is nothing more of it. */
export type LogPlace = LogMark | 'end' | null;

interface LogPlaces {
  readonly rollbacks: LogPlace;
  readonly resumes: LogPlace;
}

const PLACE = /^(?:-|([0-9a-f]{40,64})\.(\d{1,5}))$/;

/** @throws INVALID_REQUEST for a text that is no `next` of a page */
export function placesOf(after: string | undefined): LogPlaces {
  if (after === undefined) return { rollbacks: null, resumes: null };
  const [rollbacks, resumes, ...more] = after.split('~').map(placeOf);
  if (rollbacks === undefined || resumes === undefined || more.length > 0) throw unknownPlace();
  return { rollbacks, resumes };
}

function placeOf(text: string): LogMark | 'end' {
  const found = PLACE.exec(text);
  if (found === null) throw unknownPlace();
  const [, commit, nth] = found;
  return commit === undefined ? 'end' : { commit, nth: Number(nth) };
}

/** That the branch still has the entry of a place. @throws INVALID_REQUEST */
export function requirePlace(
  place: LogPlace,
  records: readonly { readonly commit: { readonly id: ObjectId } }[],
): void {
  if (place === null || place === 'end') return;
  if (!records.some(({ commit }) => commit.id === place.commit)) throw unknownPlace();
}

const unknownPlace = () =>
  new BacktrailError('INVALID_REQUEST', 'The log has nothing to go on from there.', {
    hint: 'Begin again with the first page.',
  });

/** Says of each entry of a list, in order, whether it comes behind a place. */
export function isBehind(place: LogPlace): (entry: { readonly commit: ObjectId }) => boolean {
  if (place === null || place === 'end') return () => place === null;
  let [passed, seen] = [false, 0];
  return ({ commit }) => {
    if (passed) return true;
    if (commit === place.commit) passed = seen++ === place.nth;
    return false;
  };
}

interface Listed {
  readonly commit: ObjectId;
}

/** Of one more of each than are shown: what is shown, and where the next page begins; null where there is none. */
export function logPage<Rollback extends Listed, Resume extends Listed>(
  lists: { readonly rollbacks: readonly Rollback[]; readonly resumes: readonly Resume[] },
  { limit, from }: { readonly limit: number; readonly from: LogPlaces },
) {
  const rollbacks = lists.rollbacks.slice(0, limit);
  const resumes = lists.resumes.slice(0, limit);
  const isMore = lists.rollbacks.length > limit || lists.resumes.length > limit;
  const places = [
    lists.rollbacks.length > limit ? markText(rollbacks, from.rollbacks) : '-',
    lists.resumes.length > limit ? markText(resumes, from.resumes) : '-',
  ];
  return { rollbacks, resumes, next: isMore ? places.join('~') : null };
}

function markText(shown: readonly Listed[], from: LogPlace): string {
  const commit = shown.at(-1)?.commit ?? '';
  const before = from !== null && from !== 'end' && from.commit === commit ? from.nth + 1 : 0;
  const nth = before + shown.filter((each) => each.commit === commit).length - 1;
  return `${commit}.${nth}`;
}
