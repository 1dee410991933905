import type { Terms } from '../../model/index.ts';
import { type Planned, renderedDigest } from '../../rollback/plan.ts';

/** What reviewers see of a plan and agree to. */
export function termsOf(planned: Planned): Terms {
  const { base, digest, impact } = planned.plan;
  return { base, digest, rendered: renderedDigest(planned), affectedServices: impact.services };
}
