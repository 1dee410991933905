/** Who approved it, as a commit says that was proposed earlier: a vote may count since, whose key was not trusted then. */
import type { EventId, Provenance, Review } from '../../../model/index.ts';
import { cleanValue } from '../../../record/text.ts';
import type { Proof } from '../../ledger/proof.ts';

interface Votes {
  readonly reviews: readonly Pick<Review, 'id' | 'decision' | 'actor'>[];
  readonly proofs: ReadonlyMap<EventId, Pick<Proof, 'commit'>>;
}

const APPROVAL = /^(Approved by .+) \(quorum: (\d{1,6})\/(\d{1,6})\)( \(identity unverified\))?$/;

/** `now`: what lets it go ahead. The same with the words of the commit's trailers, where the votes that count bear them out; else null. */
export function approvedAs(
  { reviews, proofs }: Votes,
  now: Provenance,
  trailers: readonly string[],
): Provenance | null {
  const valuesOf = (key: string) =>
    trailers.filter((line) => line.startsWith(`${key}: `)).map((line) => line.slice(key.length + 2));
  const approvals = valuesOf('Approval');
  const [ledger = ''] = [...valuesOf('Rollback-Ledger'), ...valuesOf('Resume-Ledger')];
  const expected = now.approvals.map(cleanValue);
  if (approvals.join('\n') === expected.join('\n') && ledger === now.ledger) return now;
  const counting = new Map(expected.flatMap((text) => parse(text) ?? []).map((one) => [one.who, one]));
  const said = approvals.map(parse);
  const isBorne = said.every((one, at) => {
    const vote = counting.get(one?.who ?? '');
    const isFirst = said.findIndex((other) => other?.who === one?.who) === at;
    const isEnough = one !== null && one.need === vote?.need && one.have >= one.need && one.have <= vote.have;
    return isFirst && isEnough && (one.isUnverified || !vote.isUnverified);
  });
  const commits = reviews
    .filter(
      ({ decision, actor }) => decision === 'approved' && said.some((one) => one?.who === nameOf(actor)),
    )
    .map(({ id }) => proofs.get(id)?.commit);
  const isSame = said.length > 0 && isBorne && commits.includes(ledger);
  return isSame ? { ...now, approvals, ledger } : null;
}

const nameOf = ({ email }: { readonly email: string }) => cleanValue(`Approved by ${email}`);

function parse(text: string) {
  const [, who, have, need, doubt] = APPROVAL.exec(text) ?? [];
  if (who === undefined) return null;
  return { who, have: Number(have), need: Number(need), isUnverified: doubt !== undefined };
}
