/** Said before anybody chooses anything: that this person may not ask for a rollback here, and who may. */
import type { EnvironmentView } from '../contract.ts';

const MOST = 8;

export function MayNot({ of: { may, askers } }: { readonly of: Pick<EnvironmentView, 'may' | 'askers'> }) {
  const { request } = may;
  if (request.allowed) return null;
  const more = askers.length - MOST;
  return (
    <section class="verdict warn" aria-label="Not permitted">
      <p>
        <b>Not permitted:</b> {request.message}
      </p>
      {askers.length > 0 ? (
        <>
          <p>These may:</p>
          <ul class="people" aria-label="Who may ask">
            {askers.slice(0, MOST).map((email) => (
              <li key={email}>{email}</li>
            ))}
            {more > 0 && <li>and {more} more</li>}
          </ul>
        </>
      ) : (
        <p>The policy of this repository names nobody who may.</p>
      )}
    </section>
  );
}
