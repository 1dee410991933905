import { isMap as isMapNode } from 'yaml';
import { type Budget, convert, newBudget } from '../convert.ts';
import { isWorkloadKind, manifestsOf, sortManifests } from '../manifests.ts';
import { printDocument } from '../print.ts';
import { checkSpec } from './validate.ts';
import { readSource, type SourceFile } from '../source-file.ts';
import type { Renderer, RenderSource } from '../renderer.ts';
import type { Variables } from '../plain/substitute.ts';
import type { ServiceUnit } from '../service-unit.ts';
import { compareText, type Data, isMap, toValue, type ValueMap } from '../value.ts';
import type { ProbeSpec, WorkloadSpec } from './specification.ts';

/**
 * Renderer `workload`, for `service.yaml` with `kind: Workload`: a ConfigMap (if env), a Deployment, and a Service (if ports). Delivers
 * other manifests in the folder as well, like the plain renderer.
 */
export const workload: Renderer = {
  name: 'workload',
  render: async (source) => {
    const { unit, hasher } = source;
    if (unit.directory === null || !(await isWorkloadFile(source, `${unit.directory}/service.yaml`)))
      return null;
    const files = await source.files();
    const file = files.find(({ path }) => path === `${unit.directory}/service.yaml`);
    if (!file) return null;
    const context = { unit, hasher, budget: newBudget(), variables: await source.variables() };
    const own = renderWorkload(file, context).map((value) => ({ value, file, offset: 0 }));
    const others = files.filter((other) => other !== file);
    const objects = sortManifests([...own, ...others.flatMap((other) => manifestsOf(other, context))]);
    return { version: '1', objects };
  },
};

/** `service.yaml` may also be a Kubernetes Service. */
async function isWorkloadFile({ view }: RenderSource, path: string): Promise<boolean> {
  const bytes = await view.read(path);
  return (bytes === null ? [] : readSource(path, bytes).documents).some(
    ({ contents }) => isMapNode(contents) && isWorkloadKind(contents.get('apiVersion'), contents.get('kind')),
  );
}

/** Input for building the objects. */
interface WorkloadContext {
  readonly unit: ServiceUnit;
  readonly hasher: RenderSource['hasher'];
  readonly budget: Budget;
  readonly variables: Variables;
}

function renderWorkload(file: SourceFile, context: WorkloadContext): readonly ValueMap[] {
  const [document, second] = file.documents;
  if (!document || second)
    throw file.fail(second?.range?.[0] ?? 0, 'a service specification must be one document.');
  const value = convert({ file, document, budget: context.budget, variables: context.variables });
  const spec = checkSpec(file, value);
  const name = checkName(file, spec.name ?? context.unit.service ?? context.unit.environment);
  const objects = makeObjects({ name, spec, context, labels: makeLabels(file, name, context.unit) });
  return objects.map(toValue).filter(isMap);
}

/** Without `name` in the specification, the folder's name must be a valid Kubernetes name. */
function checkName(file: SourceFile, name: string): string {
  if (/^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return name;
  throw file.fail(0, 'the name of the service is not a valid Kubernetes name.', {
    field: 'name',
    hint: 'Add `name:` with 1 to 63 lower-case letters, digits and hyphens, beginning with a letter.',
  });
}

function makeLabels(
  file: SourceFile,
  name: string,
  { tenant, environment }: ServiceUnit,
): Record<string, string> {
  const labels = {
    'app.kubernetes.io/managed-by': 'backtrail',
    'app.kubernetes.io/name': name,
    'backtrail.dev/environment': environment,
    ...(tenant === undefined ? {} : { 'backtrail.dev/tenant': tenant }),
  };
  for (const [label, value] of Object.entries(labels))
    if (!/^[A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/.test(value))
      throw file.fail(0, `the label ${label} would have a value that is not valid in Kubernetes.`);
  return labels;
}

interface WorkloadParts {
  readonly name: string;
  readonly spec: WorkloadSpec;
  readonly context: WorkloadContext;
  readonly labels: Record<string, string>;
}

function makeObjects(parts: WorkloadParts): Data[] {
  const { name, spec, labels } = parts;
  const metadata = { name, labels, namespace: spec.namespace };
  const env = spec.env ?? {};
  const hasEnv = Object.keys(env).length > 0;
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata, name: `${name}-env` },
    data: env,
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: {
      selector: selector(name),
      ports: sortedPorts(spec).map(({ name, port, protocol }) => ({
        name,
        port,
        targetPort: name,
        protocol,
      })),
    },
  };
  return [
    ...(hasEnv ? [configMap] : []),
    deployment(parts, metadata, hasEnv),
    ...(service.spec.ports.length > 0 ? [service] : []),
  ];
}

/** Must not change between releases: a Deployment's selector is immutable. */
const selector = (name: string) => ({ 'app.kubernetes.io/name': name });

function deployment(
  { name, spec, context, labels }: WorkloadParts,
  metadata: Data & object,
  hasEnv: boolean,
): Data {
  // Changing a ConfigMap does not restart pods; changing a pod annotation does.
  const checksum = context.hasher.sha256(new TextEncoder().encode(printDocument(toValue(spec.env ?? {}))));
  const annotations = hasEnv ? { 'backtrail.dev/env-checksum': checksum } : undefined;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: spec.replicas,
      selector: { matchLabels: selector(name) },
      template: { metadata: { labels, annotations }, spec: { containers: [container(name, spec, hasEnv)] } },
    },
  };
}

function container(name: string, spec: WorkloadSpec, hasEnv: boolean): Data {
  const { repository, tag, digest } = spec.image;
  const secrets = [...(spec.secretRefs ?? [])].sort((a, b) => compareText(a.env, b.env));
  const ports = sortedPorts(spec);
  const { liveness, readiness, startup } = spec.probes ?? {};
  return {
    name,
    image: `${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`,
    envFrom: hasEnv ? [{ configMapRef: { name: `${name}-env` } }] : undefined,
    env: undefinedIfEmpty(
      secrets.map(({ env, secret, key }) => ({
        name: env,
        valueFrom: { secretKeyRef: { name: secret, key } },
      })),
    ),
    ports: undefinedIfEmpty(
      ports.map(({ name, containerPort, protocol }) => ({ name, containerPort, protocol })),
    ),
    resources: spec.resources,
    livenessProbe: makeProbe(liveness),
    readinessProbe: makeProbe(readiness),
    startupProbe: makeProbe(startup),
  };
}

const undefinedIfEmpty = <T>(list: readonly T[]): readonly T[] | undefined =>
  list.length > 0 ? list : undefined;

const sortedPorts = ({ ports = [] }: WorkloadSpec) =>
  ports
    .map(({ name, port, targetPort, protocol }) => ({
      name,
      port,
      containerPort: targetPort ?? port,
      protocol: protocol ?? 'TCP',
    }))
    .sort((a, b) => compareText(a.name, b.name));

function makeProbe(probe: ProbeSpec | undefined): Data | undefined {
  if (probe === undefined) return undefined;
  const { path, port, command, ...timing } = probe;
  if (command !== undefined) return { exec: { command }, ...timing };
  return path === undefined ? { tcpSocket: { port }, ...timing } : { httpGet: { path, port }, ...timing };
}
