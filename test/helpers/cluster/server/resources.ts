import type { ResourceType } from './types.ts';

const ALL = '+'; // namespaced
const ONE = '-'; // of the whole cluster

/** Group and version, then lines of: plural, kind, scope, short names, subresources. */
const TABLE: Readonly<Record<string, readonly string[]>> = {
  v1: [
    `configmaps ConfigMap ${ALL} cm`,
    `events Event ${ALL} ev`,
    `namespaces Namespace ${ONE} ns status`,
    `nodes Node ${ONE} no status`,
    `persistentvolumeclaims PersistentVolumeClaim ${ALL} pvc status`,
    `pods Pod ${ALL} po status`,
    `replicationcontrollers ReplicationController ${ALL} rc status,scale`,
    `secrets Secret ${ALL}`,
    `serviceaccounts ServiceAccount ${ALL} sa`,
    `services Service ${ALL} svc status`,
  ],
  'apps/v1': [
    `controllerrevisions ControllerRevision ${ALL}`,
    `daemonsets DaemonSet ${ALL} ds status`,
    `deployments Deployment ${ALL} deploy status,scale`,
    `replicasets ReplicaSet ${ALL} rs status,scale`,
    `statefulsets StatefulSet ${ALL} sts status,scale`,
  ],
  'batch/v1': [`cronjobs CronJob ${ALL} cj status`, `jobs Job ${ALL} - status`],
  'autoscaling/v2': [`horizontalpodautoscalers HorizontalPodAutoscaler ${ALL} hpa status`],
  'networking.k8s.io/v1': [
    `ingresses Ingress ${ALL} ing status`,
    `networkpolicies NetworkPolicy ${ALL} netpol`,
  ],
  'policy/v1': [`poddisruptionbudgets PodDisruptionBudget ${ALL} pdb status`],
  'rbac.authorization.k8s.io/v1': [
    `clusterrolebindings ClusterRoleBinding ${ONE}`,
    `clusterroles ClusterRole ${ONE}`,
    `rolebindings RoleBinding ${ALL}`,
    `roles Role ${ALL}`,
  ],
  'apiextensions.k8s.io/v1': [`customresourcedefinitions CustomResourceDefinition ${ONE} crd,crds status`],
  'authorization.k8s.io/v1': [
    `selfsubjectaccessreviews SelfSubjectAccessReview ${ONE}`,
    `selfsubjectrulesreviews SelfSubjectRulesReview ${ONE}`,
  ],
  'argoproj.io/v1alpha1': [
    `applications Application ${ALL} app,apps`,
    `appprojects AppProject ${ALL} appproj`,
  ],
  'kustomize.toolkit.fluxcd.io/v1': [`kustomizations Kustomization ${ALL} ks status`],
  'helm.toolkit.fluxcd.io/v2': [`helmreleases HelmRelease ${ALL} hr status`],
  'source.toolkit.fluxcd.io/v1': [
    `gitrepositories GitRepository ${ALL} gitrepo status`,
    `helmrepositories HelmRepository ${ALL} helmrepo status`,
    `ocirepositories OCIRepository ${ALL} ocirepo status`,
  ],
};

const CUSTOM = ['argoproj.io', 'toolkit.fluxcd.io'];

export const RESOURCES: readonly ResourceType[] = Object.entries(TABLE).flatMap(([groupVersion, rows]) =>
  rows.map((row) => readRow(groupVersion, row)),
);

/** @throws Error for a kind that is not in the table. */
export function typeOfKind(kind: string): ResourceType {
  const found = RESOURCES.find((type) => type.kind === kind);
  if (found === undefined) throw new Error(`Add ${kind} to test/helpers/cluster/server/resources.ts.`);
  return found;
}

export const apiVersionOf = ({ group, version }: ResourceType): string =>
  group === '' ? version : `${group}/${version}`;

/** `deployments.apps`, as messages of an API server name it. */
export const qualifiedName = ({ group, resource }: ResourceType): string =>
  group === '' ? resource : `${resource}.${group}`;

function readRow(groupVersion: string, row: string): ResourceType {
  const [resource = '', kind = '', scope, shortNames = '', subresources = ''] = row.split(' ');
  const [version = '', group = ''] = groupVersion.split('/').reverse();
  const words = (text: string) => text.split(',').filter((word) => word !== '' && word !== '-');
  return {
    group,
    version,
    resource,
    kind,
    namespaced: scope === ALL,
    shortNames: words(shortNames),
    subresources: words(subresources),
    custom: CUSTOM.some((name) => group === name || group.endsWith(`.${name}`)),
  };
}
