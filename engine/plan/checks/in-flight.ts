import { formatCoordinates, type Plan, type Scope } from '../../model/index.ts';
import type { Observations, RawFinding } from '../check-input.ts';

/** How many are named. */
const MOST = 5;

/** IN_FLIGHT: other open requests that overlap, and what others have committed since the plan that reviewers saw. */
export function checkInFlight({ scope }: Plan, { requests = [], since = [] }: Observations): RawFinding[] {
  const others = requests.filter((request) => overlaps(request.scope, scope));
  const findings = others.slice(0, MOST).map(
    ({ id, scope: other, status, author }): RawFinding => ({
      code: 'IN_FLIGHT',
      message: `Request ${id} of ${author} for ${formatCoordinates(other)} is ${status}, and overlaps.`,
      hint: `\`backtrail request show ${id}\` shows it; a newer request of the same scope takes the place of a pending one.`,
    }),
  );
  if (others.length > MOST)
    findings.push({ code: 'IN_FLIGHT', message: `${others.length - MOST} more open requests overlap.` });
  const [newest] = since;
  if (newest !== undefined)
    findings.push({
      code: 'IN_FLIGHT',
      message: `${since.length} ${since.length === 1 ? 'commit has' : 'commits have'} changed ${formatCoordinates(scope)} since it was planned; the newest is ${newest.slice(0, 12)}.`,
      hint: `\`git show ${newest.slice(0, 12)}\` shows it; ask its author before it is undone.`,
    });
  return findings;
}

/** Whether two scopes can have a path or a field in common. */
function overlaps(one: Scope, other: Scope): boolean {
  if (one.tenant !== other.tenant || one.environment !== other.environment) return false;
  if (one.service !== undefined && other.service !== undefined && one.service !== other.service) return false;
  if (one.mode !== 'field' || other.mode !== 'field' || one.wholeFile || other.wholeFile) return true;
  return (one.fields ?? []).some((field) =>
    (other.fields ?? []).some((own) => isWithin(field, own) || isWithin(own, field)),
  );
}

/** By their texts: of one list, `[name=a]` and `[0]` are taken for different items. */
const isWithin = (inner: string, outer: string) =>
  inner === outer || (inner.startsWith(outer) && /^[/[|]/.test(inner.slice(outer.length)));
