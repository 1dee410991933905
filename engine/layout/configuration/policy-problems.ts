/** What is wrong with a policy that has the right form: rules that can never hold, or that nobody can meet. */
import { type EnvironmentName, emailKey } from '../../model/index.ts';
import { matchesEnvironment } from '../../policy/policy.ts';
import type { RawFeatures, RawPeople, RawPolicy } from './policy.ts';

/** A problem, and the path of the configuration key that it is about. */
export interface PolicyProblem {
  readonly path: (string | number)[];
  readonly message: string;
}

/** Problems of a policy as a whole. `tenancy`: the layout has tenants. */
export function policyProblems(
  policy: RawPolicy,
  tenancy: boolean,
  features: RawFeatures = {},
): PolicyProblem[] {
  const { environments = [], groups = {}, people = [], permissions = [], windows = [] } = policy;
  const known = (names: readonly string[] = [], path: PolicyProblem['path']) =>
    names.flatMap((name, at) =>
      problemAt(
        [...path, at],
        Object.hasOwn(groups, name) ? null : `There is no group ${name} in \`policy.groups\`.`,
      ),
    );
  return [
    ...environments.flatMap(({ match, approvers }, at) => {
      const path = ['policy', 'environments', at];
      return [
        ...problemAt(
          [...path, 'match'],
          tenancyProblem(match, tenancy) ?? shadowedProblem(environments.slice(0, at), match, tenancy),
        ),
        ...known(approvers?.groups, [...path, 'approvers', 'groups']),
        ...problemAt([...path, 'quorum'], approvalProblem(environments[at] ?? {}, features)),
      ];
    }),
    ...peopleProblems(people),
    ...windows.flatMap(({ match }, at) =>
      problemAt(['policy', 'windows', at, 'match'], tenancyProblem(match, tenancy)),
    ),
    ...permissions.flatMap((grant, at) => {
      const path = ['policy', 'permissions', at];
      return [
        ...grant.in.flatMap((text, index) =>
          problemAt([...path, 'in', index], tenancyProblem(text, tenancy)),
        ),
        ...known(grant.groups, [...path, 'groups']),
      ];
    }),
  ];
}

/** The same of lists of which the first entry that matches counts, `publish` and `auto`; of `live`, all that match count. */
export function matchProblems(
  key: 'publish' | 'auto' | 'live',
  rules: readonly { readonly match: string }[],
  tenancy: boolean,
): PolicyProblem[] {
  return rules.flatMap(({ match }, at) =>
    problemAt(
      [key, at, 'match'],
      tenancyProblem(match, tenancy) ??
        (key === 'live' ? null : shadowedProblem(rules.slice(0, at), match, tenancy)),
    ),
  );
}

/** A quorum that nobody could meet would look like a gate, and switching approvals off is no way past one. */
function approvalProblem(
  {
    quorum,
    approvers,
    features: own = {},
  }: {
    quorum?: number | undefined;
    approvers?: RawPeople | undefined;
    features?: RawFeatures | undefined;
  },
  all: RawFeatures,
): string | null {
  const isOn = own.rollback_approval ?? all.rollback_approval ?? true;
  const isMeant =
    quorum === undefined ? own.rollback_approval === undefined || approvers !== undefined : quorum > 0;
  return isOn || !isMeant ? null : 'It asks for approvals, and `rollback_approval` of `features` is false.';
}

const problemAt = (path: PolicyProblem['path'], message: string | null): PolicyProblem[] =>
  message === null ? [] : [{ path, message }];

function tenancyProblem(pattern: string, tenancy: boolean): string | null {
  if (pattern === '**' || pattern.split('/').length === (tenancy ? 2 : 1)) return null;
  return tenancy
    ? 'It cannot match anything: the layout has tenants, so write tenant/environment.'
    : 'It cannot match anything: the layout has no tenants, so write the environment alone.';
}

/** The problem of an entry that an earlier one shadows: the first match applies. Matching the pattern as a name is exact, because its stars are matched by stars only. */
/** Each email belongs to one person. */
function peopleProblems(people: readonly (readonly string[])[]): PolicyProblem[] {
  const seen = new Set<string>();
  return people.flatMap((emails, at) =>
    emails.flatMap((email, index) => {
      const isKnown = seen.has(emailKey(email));
      seen.add(emailKey(email));
      return problemAt(
        ['policy', 'people', at, index],
        isKnown ? `${email} stands there twice: an email belongs to one person.` : null,
      );
    }),
  );
}

function shadowedProblem(
  before: readonly { readonly match: string }[],
  pattern: string,
  tenancy: boolean,
): string | null {
  const all = tenancy ? '*/*' : '*';
  const [first = '', second = ''] = (pattern === '**' ? all : pattern).split('/');
  const place: EnvironmentName = tenancy ? { tenant: first, environment: second } : { environment: first };
  const earlier = before.find(({ match }) => matchesEnvironment(match, place));
  if (earlier === undefined) return null;
  return `It never applies: ${JSON.stringify(earlier.match)} comes before it and matches the same environments.`;
}
