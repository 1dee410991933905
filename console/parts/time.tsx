/** A time relative to now, with the exact one on focus and under the pointer. */
import { now } from '../data/clock.ts';
import { durationOf, exactly, relativeTo } from './duration.ts';

/** `quiet`: in a row that can have the focus, and shows the exact one then; it takes no focus of its own. `span`: how long it is ago, alone. */
export function Time({
  at,
  quiet = false,
  span = false,
}: {
  readonly at: string;
  readonly quiet?: boolean;
  readonly span?: boolean;
}) {
  const exact = exactly(at);
  return (
    <time dateTime={at} class="time" data-exact={exact} {...(quiet ? {} : { tabIndex: 0 })}>
      {span ? durationOf(now.value - Date.parse(at)) : relativeTo(now.value, Date.parse(at))}
      {!quiet && <span class="hidden"> ({exact})</span>}
    </time>
  );
}
