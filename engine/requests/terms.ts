/** The terms of a request that reviewers see. */
import type { Terms } from '../model/index.ts';
import type { Planned } from '../rollback/planning/planned.ts';
import { renderedDigest } from '../rollback/plan.ts';

export function termsOf(planned: Planned): Terms {
  const { base, digest, impact } = planned.plan;
  return { base, digest, rendered: renderedDigest(planned), affectedServices: impact.services };
}
