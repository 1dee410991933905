import { quotePath } from '../../../model/index.ts';
import type { CheckInput, RawFinding } from '../../check-input.ts';
import { isSame, valueAt } from '../../documents/documents.ts';
import { type Manifest, manifestChanges, nameOf } from '../../documents/manifests.ts';

/** IMMUTABLE_FIELD: the API server refuses to change these fields of an object that exists. Values are never shown. */
export async function checkImmutable(input: CheckInput): Promise<RawFinding[]> {
  const { before, after } = await manifestChanges(input);
  return [...before].flatMap(([identity, now]) => {
    const then = after.get(identity);
    if (then === undefined) return [];
    const fields = fieldsOf(now, then);
    if (fields.length === 0) return [];
    const message = `${quotePath(nameOf(now))} would change ${fields.join(', ')}, which Kubernetes refuses to change in place.`;
    return [{ code: 'IMMUTABLE_FIELD' as const, message, path: then.path }];
  });
}

type Differs = (now: unknown, then: unknown) => boolean;

const either: Differs = (now, then) => !isSame(now, then);
/** Where one side lacks it, it may be a patch, or the server's default. */
const both: Differs = (now, then) => now !== undefined && then !== undefined && !isSame(now, then);
const orDefault =
  (value: string): Differs =>
  (now, then) =>
    (now ?? value) !== (then ?? value);
const smaller: Differs = (now, then) => {
  const [from, to] = [sizeOf(now), sizeOf(then)];
  return from !== null && to !== null && to < from;
};

interface Rule {
  readonly at: readonly string[];
  readonly differs: Differs;
}

const rule = (path: string, differs: Differs = both): Rule => ({ at: path.split('.'), differs });

const SELECTOR = [rule('spec.selector')];
const CLAIM = [
  'accessModes',
  'storageClassName',
  'volumeMode',
  'selector',
  'dataSource',
  'dataSourceRef',
].map((key) => rule(`spec.${key}`, key === 'storageClassName' ? both : either));
const DATA = ['data', 'binaryData', 'stringData', 'immutable'].map((key) => rule(key, either));

/** From the validation of the API server (kubernetes/pkg/apis/NAME/validation). */
const RULES: Readonly<Record<string, readonly Rule[]>> = {
  Deployment: SELECTOR,
  DaemonSet: SELECTOR,
  ReplicaSet: SELECTOR,
  StatefulSet: [
    ...SELECTOR,
    rule('spec.serviceName'),
    rule('spec.podManagementPolicy', orDefault('OrderedReady')),
    rule('spec.volumeClaimTemplates', either),
  ],
  Job: [rule('spec.template'), rule('spec.selector'), rule('spec.completionMode', orDefault('NonIndexed'))],
  PersistentVolumeClaim: [
    ...CLAIM,
    rule('spec.volumeName'),
    rule('spec.resources.requests.storage', smaller),
  ],
  StorageClass: [
    rule('provisioner'),
    rule('parameters', either),
    rule('reclaimPolicy', orDefault('Delete')),
    rule('volumeBindingMode', orDefault('Immediate')),
  ],
  RoleBinding: [rule('roleRef')],
  ClusterRoleBinding: [rule('roleRef')],
  Secret: [rule('type', orDefault('Opaque'))],
};

function fieldsOf(now: Manifest, then: Manifest): string[] {
  const rules = [...(RULES[now.kind] ?? []), ...dataRules(now)];
  const found = rules.filter(({ at, differs }) =>
    differs(valueAt(now.value, ...at), valueAt(then.value, ...at)),
  );
  const names = found.map(({ at, differs }) => `${at.join('.')}${differs === smaller ? ' (smaller)' : ''}`);
  return now.kind === 'Service' && changesAddress(now, then) ? [...names, 'spec.clusterIP'] : names;
}

const dataRules = ({ kind, value }: Manifest) =>
  (kind === 'Secret' || kind === 'ConfigMap') && valueAt(value, 'immutable') === true ? DATA : [];

/** Changing from or to an ExternalName gives up or asks for an address. */
function changesAddress(now: Manifest, then: Manifest): boolean {
  const [type, other] = [now, then].map(({ value }) => valueAt(value, 'spec', 'type'));
  if ([type, other].includes('ExternalName')) return false;
  const [from, to] = [now, then].map(({ value }) => valueAt(value, 'spec', 'clusterIP') ?? '');
  return from !== to;
}

const UNITS: Readonly<Record<string, number>> = {
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A quantity of Kubernetes as a number of bytes; null for what is none. */
function sizeOf(quantity: unknown): number | null {
  if (typeof quantity === 'number') return quantity;
  if (typeof quantity !== 'string') return null;
  const [, digits, unit = ''] =
    /^\+?(\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?)([KMGTPE]i|[mkMGTPE])?$/.exec(quantity) ?? [];
  return digits === undefined ? null : Number(digits) * (unit === '' ? 1 : (UNITS[unit] ?? 1));
}
