/** Where a request waits to be merged: the pull request on its host, and its checks. */
import type { RequestView } from '../contract.ts';
import { Badge } from '../parts/badge.tsx';

export function PullRequest({ of: { pullRequest, link, proposed } }: { readonly of: RequestView }) {
  const known = pullRequest ?? link;
  if (known === null && proposed === null) return null;
  const checks = pullRequest?.statusChecks ?? null;
  return (
    <section class="part" aria-label="Pull request">
      <h2>Pull request</h2>
      {known !== null && (
        <p>
          {pullRequest !== undefined && <Badge state={pullRequest.state} />}{' '}
          {/^https?:\/\//i.test(known.url) ? (
            <a href={known.url} rel="noreferrer noopener">
              #{known.number} on its host
            </a>
          ) : (
            `#${known.number}`
          )}
        </p>
      )}
      {checks !== null && (
        <p>
          {checks.total === 0
            ? 'It has no checks.'
            : `Checks: ${checks.passed} of ${checks.total} passed, ${checks.failed} failed, ${checks.pending} pending.`}
        </p>
      )}
      {proposed !== null && (
        <p class="faint">
          Branch <code>{proposed.branch}</code>
        </p>
      )}
    </section>
  );
}
