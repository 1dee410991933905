/** What changed since this browser showed the request, and since reviewers were asked. */
import { useEffect, useRef } from 'preact/hooks';
import type { RequestPlan, RequestView } from '../contract.ts';
import { session } from '../data/session.ts';
import { Time } from '../parts/time.tsx';
import { differencesOf, partsOf } from '../plan/compared.ts';
import { keepSeen, readSeen, shortened } from './seen.ts';

export function News({ of, plan }: { readonly of: RequestView; readonly plan: RequestPlan | null }) {
  const before = useRef(readSeen(of.id)).current;
  const parts = plan === null ? null : shortened(partsOf(plan));
  useEffect(() => {
    if (parts === null) return;
    keepSeen(of.id, { digest: of.digest, at: Date.now(), parts: Object.fromEntries(parts) });
  }, [of.digest, plan]);
  const { reopened } = of;
  const since = before?.at ?? 0;
  const isOther = before !== null && before.digest !== of.digest;
  const sentences =
    before === null || parts === null ? [] : differencesOf(new Map(Object.entries(before.parts)), parts);
  const said = before === null ? [] : spokenSince(of, since);
  return (
    <>
      {plan?.changed === true && (
        <p class="verdict warn" role="status">
          <b>It would change something else now</b> than reviewers were asked about. Approving it asks them
          again, about what is shown here.
        </p>
      )}
      {before !== null && (isOther || sentences.length > 0 || said.length > 0) && (
        <section class="verdict" aria-label="Since you last looked">
          <p>
            <b>Since you last looked</b>, <Time at={new Date(before.at).toISOString()} />:
          </p>
          <ul class="fields">
            {[...said, ...sentences].map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
            {isOther && sentences.length === 0 && <li>Reviewers are asked about a newer plan.</li>}
          </ul>
        </section>
      )}
      {reopened !== null && (
        <section class="verdict warn" aria-label="Asked again">
          <p>
            <b>Reviewers were asked again</b> <Time at={reopened.at} />: {reopened.reason}
          </p>
          <ul class="fields">
            {reopened.difference.map((line) => (
              <li key={line}>
                <code>{line}</code>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** Of others. The ledger's times are whole seconds: what is of the same second may have come after. */
function spokenSince({ reviews, notes }: RequestView, since: number): readonly string[] {
  const known = session.value;
  const own = known.state === 'signed-in' ? known.me.person.email : '';
  const isNew = ({ at, actor }: { readonly at: string; readonly actor: { readonly email: string } }) =>
    Date.parse(at) >= since - (since % 1000) && actor.email !== own;
  return [
    ...reviews.filter(isNew).map(({ actor, decision }) => `${actor.name} ${decision} it.`),
    ...notes.filter(isNew).map(({ actor }) => `${actor.name} wrote a note.`),
  ];
}
