/** Who must agree, and who may do what, against the environments that there are. */
import {
  type Check,
  type EnvironmentName,
  type EnvironmentPolicy,
  formatCoordinates,
  type Policy,
} from '../../model/index.ts';
import {
  approversOf,
  holdersOf,
  matchesEnvironment,
  needsSignedRequest,
  policyFor,
  unsatisfiableReason,
} from '../../policy/policy.ts';
import { nearNames } from '../../layout/near-names.ts';
import { type CheckedTree, configuration, count, groupBy, some } from './tree.ts';

export function checkPolicy({ layout, coordinates }: Pick<CheckedTree, 'layout' | 'coordinates'>): Check[] {
  const { policy } = layout.config;
  if (policy.environments.length + policy.permissions.length === 0) return [];
  const places = coordinates.filter(({ service }) => service === undefined);
  const problems = [...unsatisfiable(policy, places), ...idlePatterns(policy, places)];
  const message = summary(places.map((place) => ({ place, rule: policyFor(policy, place) })));
  return problems.length > 0 ? problems : [configuration('policy', 'ok', { message })];
}

export interface Keyed {
  /** Some environment asks for approval by a key. */
  readonly asks: boolean;
  /** Emails of those whose approval needs one, as far as the policy names them; sorted. */
  readonly approvers: readonly string[];
  /** Of those whose requests need one. */
  readonly askers: readonly string[];
  /** Requests need one somewhere. */
  readonly isSigned: boolean;
  /** Where only a person's own key counts (`signedBy: person`). */
  readonly own: readonly OwnKeyed[];
}

/** Environments whose rule and people are the same. */
interface OwnKeyed extends Pick<Keyed, 'approvers' | 'askers'> {
  readonly environments: readonly string[];
  readonly quorum: number;
}

/** Whose keys are needed. */
export function peopleWithKeys(policy: Policy, places: readonly EnvironmentName[]): Keyed {
  const gated = places.flatMap((place) => {
    const rule = policyFor(policy, place);
    return rule && rule.quorum > 0 && !rule.unsignedApprovals ? [{ place, rule }] : [];
  });
  const each = gated.map(({ place, rule }) => ({
    place,
    rule,
    approvers: approversOf(policy, rule, place, []),
    askers: needsSignedRequest(rule) ? holdersOf(policy, 'propose', place).sort() : [],
  }));
  const strict = each.filter(({ rule }) => rule.signedBy === 'person');
  const alike = groupBy(strict, ({ rule: { quorum }, approvers, askers }) =>
    JSON.stringify([quorum, approvers, askers]),
  );
  return {
    asks: gated.length > 0,
    approvers: [...new Set(each.flatMap(({ approvers }) => approvers))].sort(),
    askers: [...new Set(each.flatMap(({ askers }) => askers))].sort(),
    isSigned: gated.some(({ rule }) => needsSignedRequest(rule)),
    own: [...alike.values()].flatMap((same) =>
      same.slice(0, 1).map(({ rule: { quorum }, approvers, askers }) => ({
        environments: same.map(({ place }) => formatCoordinates(place)),
        quorum,
        approvers,
        askers,
      })),
    ),
  };
}

/** Asked once for all environments that the same entry and the same permissions hold for. */
function unsatisfiable(policy: Policy, places: readonly EnvironmentName[]): Check[] {
  const ruled = places.flatMap((place) => {
    const rule = policyFor(policy, place);
    return rule === null ? [] : [{ place, rule, grants: grantsAt(policy, place) }];
  });
  return [...groupBy(ruled, ({ rule, grants }) => `${grants} ${rule.match}`).values()].flatMap((same) => {
    const [first] = same;
    const why = first ? unsatisfiableReason(policy, first.rule, first.place, null) : null;
    if (first === undefined || why === null) return [];
    const names = same.map(({ place }) => formatCoordinates(place));
    const others = names.length > 1 ? ` The same holds for ${some(names.slice(1))}.` : '';
    const { match } = first.rule;
    return [
      configuration('policy', 'fail', {
        message: `${why}${others}`,
        hint: `Every rollback there is refused: in the entry ${JSON.stringify(match)} of \`policy.environments\` name more approvers or lower \`quorum\`, or let them \`deploy\` in \`policy.permissions\`.`,
        details: { match, environments: names.slice(0, 50) },
      }),
    ];
  });
}

const grantsAt = ({ permissions }: Policy, place: EnvironmentName) =>
  permissions
    .flatMap((grant, at) => (grant.in.some((pattern) => matchesEnvironment(pattern, place)) ? [at] : []))
    .join();

function idlePatterns(policy: Policy, places: readonly EnvironmentName[]): Check[] {
  const matched = (pattern: string) => places.filter((place) => matchesEnvironment(pattern, place));
  const counting = new Set(places.map((place) => policyFor(policy, place)));
  return [
    ...policy.environments.flatMap((rule, at) => {
      const own = matched(rule.match);
      const section = `policy.environments.${at}`;
      if (own.length === 0) return [matchless(section, rule.match, places)];
      return counting.has(rule) ? [] : [hidden(section, rule.match, own)];
    }),
    ...policy.permissions.flatMap((grant, at) =>
      grant.in
        .filter((pattern) => matched(pattern).length === 0)
        .map((pattern) => matchless(`policy.permissions.${at}`, pattern, places)),
    ),
  ];
}

function matchless(section: string, pattern: string, places: readonly EnvironmentName[]): Check {
  const suggestion = nearPlace(pattern, places);
  return configuration('policy', 'warn', {
    message: `${section}: ${JSON.stringify(pattern)} matches no environment.`,
    hint:
      suggestion === null
        ? 'Correct it, or take it out.'
        : `Did you mean ${JSON.stringify(suggestion)}? That one does match.`,
    details: { section, pattern, ...(suggestion !== null && { suggestion }) },
  });
}

function hidden(section: string, pattern: string, matched: readonly EnvironmentName[]): Check {
  return configuration('policy', 'warn', {
    message: `${section}: ${JSON.stringify(pattern)} takes effect nowhere: earlier entries match all that it does (${some(matched.map(formatCoordinates))}).`,
    hint: 'The first entry that matches counts: put the narrower one first, or take it out.',
    details: { section, pattern },
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
