/** Who must agree, and who may do what, against the environments that there are. */
import {
  type Check,
  type EnvironmentName,
  type EnvironmentPolicy,
  formatCoordinates,
  type Policy,
} from '../../model/index.ts';
import { approversOf, matchesEnvironment, policyFor, satisfiable } from '../../request/policy.ts';
import { nearNames } from './near.ts';
import { type CheckedTree, configuration, count, groupBy, some } from './tree.ts';

export function checkPolicy({ layout, coordinates }: Pick<CheckedTree, 'layout' | 'coordinates'>): Check[] {
  const { policy } = layout.config;
  if (policy.environments.length + policy.permissions.length === 0) return [];
  const places = coordinates.filter(({ service }) => service === undefined);
  const problems = [...unsatisfiable(policy, places), ...idlePatterns(policy, places)];
  const message = summary(places.map((place) => ({ place, rule: policyFor(policy, place) })));
  return problems.length > 0 ? problems : [configuration('policy', 'ok', { message })];
}

/** Emails of those whose approval needs a key, as far as the policy names them; sorted. `asks`: some environment asks for approval. */
export function approversWithKeys(
  policy: Policy,
  places: readonly EnvironmentName[],
): { readonly asks: boolean; readonly emails: readonly string[] } {
  const gated = places.flatMap((place) => {
    const rule = policyFor(policy, place);
    return rule && rule.quorum > 0 && !rule.unsignedApprovals ? [{ place, rule }] : [];
  });
  const emails = gated.flatMap(({ place, rule }) => approversOf(policy, rule, place, []));
  return { asks: gated.length > 0, emails: [...new Set(emails)].sort() };
}

/** An entry a check: its environments mostly fail for the same reason. */
function unsatisfiable(policy: Policy, places: readonly EnvironmentName[]): Check[] {
  const found = places.flatMap((place) => {
    const rule = policyFor(policy, place);
    const why = rule && satisfiable(policy, rule, place, null);
    return rule && why !== null ? [{ match: rule.match, place: formatCoordinates(place), why }] : [];
  });
  return [...groupBy(found, ({ match }) => match)].map(([match, all]) => {
    const others =
      all.length === 1 ? '' : ` The same holds for ${some(all.slice(1).map(({ place }) => place))}.`;
    return configuration('policy', 'fail', {
      message: `${all[0]?.why ?? ''}${others}`,
      hint: `Every rollback there is refused: in the entry ${JSON.stringify(match)} of \`policy.environments\` name more approvers or lower \`quorum\`, or let them \`deploy\` in \`policy.permissions\`.`,
      details: { match, environments: all.slice(0, 50).map(({ place }) => place) },
    });
  });
}

function idlePatterns(policy: Policy, places: readonly EnvironmentName[]): Check[] {
  const rules = policy.environments.map(({ match }, at) => ({
    at: `policy.environments.${at}`,
    pattern: match,
  }));
  const grants = policy.permissions.flatMap((grant, at) =>
    grant.in.map((pattern) => ({ at: `policy.permissions.${at}`, pattern })),
  );
  const counting = new Set(places.map((place) => policyFor(policy, place)?.match));
  return [...rules, ...grants].flatMap(({ at, pattern }) => {
    const text = JSON.stringify(pattern);
    const matched = places.filter((place) => matchesEnvironment(pattern, place));
    if (matched.length > 0 && (at.startsWith('policy.permissions') || counting.has(pattern))) return [];
    const suggestion = matched.length > 0 ? null : nearPlace(pattern, places);
    const hidden = `takes effect nowhere: earlier entries match all that it does (${some(matched.map(formatCoordinates))}).`;
    return [
      configuration('policy', 'warn', {
        message: `${at}: ${text} ${matched.length > 0 ? hidden : 'matches no environment.'}`,
        hint:
          suggestion !== null
            ? `Did you mean ${JSON.stringify(suggestion)}? That one does match.`
            : matched.length > 0
              ? 'The first entry that matches counts: put the narrower one first, or take it out.'
              : 'Correct it, or take it out.',
        details: { pattern, ...(suggestion !== null && { suggestion }) },
      }),
    ];
  });
}

/** The pattern with one name replaced by a near one, so that it matches. */
function nearPlace(pattern: string, places: readonly EnvironmentName[]): string | null {
  const names = new Set(places.flatMap(({ tenant, environment }) => [tenant ?? environment, environment]));
  const parts = pattern.split('/');
  for (const [at, part] of parts.entries())
    for (const near of nearNames(part, names)) {
      const candidate = parts.with(at, near).join('/');
      if (places.some((place) => matchesEnvironment(candidate, place))) return candidate;
    }
  return null;
}

function summary(ruled: readonly { place: EnvironmentName; rule: EnvironmentPolicy | null }[]): string {
  const gated = ruled.filter(({ rule }) => rule !== null && rule.quorum > 0);
  const free = ruled.filter(({ rule }) => rule === null || rule.quorum === 0);
  const said = `${gated.length} of ${count(ruled.length, 'environment')} ask for approval`;
  return free.length === 0 || gated.length === 0
    ? `${said}.`
    : `${said}; rollbacks of ${some(free.map(({ place }) => formatCoordinates(place)))} need none.`;
}
