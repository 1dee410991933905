/** Who may do what: RBAC as far as a read-only observer meets it. */
import { readAccessReview } from './protobuf.ts';
import type { ApiRequest, Reply, ResourceType } from './types.ts';

/** A field that is absent matches everything. */
export interface AccessRule {
  readonly verbs?: readonly string[];
  /** Plurals, `pods` or `deployments.apps`. */
  readonly resources?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly names?: readonly string[];
}

type Attributes = Pick<ApiRequest, 'verb' | 'namespace' | 'name'> & {
  readonly type: Pick<ResourceType, 'group' | 'resource'> | null;
};

/** Discovery and what somebody asks about himself match no rule that names resources. */
export function ruleMatches(rule: AccessRule, { verb, type, namespace, name }: Attributes): boolean {
  const { verbs, resources, namespaces, names } = rule;
  const isIn = (list: readonly string[] | undefined, value: string) =>
    list === undefined || list.includes(value);
  const named = type === null ? [] : [type.resource, `${type.resource}.${type.group}`];
  return (
    isIn(verbs, verb) &&
    (resources === undefined || resources.some((resource) => named.includes(resource))) &&
    isIn(namespaces, namespace) &&
    isIn(names, name)
  );
}

/** The answer to SelfSubjectAccessReview, which `kubectl auth can-i` creates. */
export function reviewAccess(body: Buffer, may: (attributes: Attributes) => boolean): Reply {
  const { verb, group, resource, namespace, name } = readAccessReview(body);
  const type = resource === '' ? null : { group, resource };
  const allowed = may({ verb, type, namespace, name });
  return { status: 201, body: reviewOf('SelfSubjectAccessReview', { allowed }) };
}

export function reviewRules(rules: readonly AccessRule[]): Reply {
  const resourceRules = rules.map(({ verbs = ['*'], resources = ['*'] }) => ({
    verbs,
    apiGroups: ['*'],
    resources: resources.map((resource) => resource.split('.')[0]),
  }));
  const status = { incomplete: false, nonResourceRules: [], resourceRules };
  return { status: 201, body: reviewOf('SelfSubjectRulesReview', status) };
}

const reviewOf = (kind: string, status: object) => ({
  kind,
  apiVersion: 'authorization.k8s.io/v1',
  metadata: { creationTimestamp: null },
  spec: {},
  status,
});
