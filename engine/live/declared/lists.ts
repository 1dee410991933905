import { isFields, valueAt } from '../read.ts';

/** Fields that identify items, by the name of the list: their merge keys in the types of Kubernetes. All others are one value, with an order. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  volumes: ['name'],
  env: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  imagePullSecrets: ['name'],
  secrets: ['name'],
  resourceClaims: ['name'],
  schedulingGates: ['name'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  ownerReferences: ['uid'],
  webhooks: ['name'],
};
const CONTAINERS = new Set(['containers', 'initContainers', 'ephemeralContainers']);
const DEFAULTS: Readonly<Record<string, string>> = { protocol: 'TCP' };

/** Lists of texts whose order says nothing. */
export const isSet = (keys: readonly string[]) => keys.at(-1) === 'finalizers';

/** The fields that identify items of the list at these keys of a kind; null: it is compared as it is. */
export function itemKeys(kind: string, keys: readonly string[]): readonly string[] | null {
  const name = keys.at(-1) ?? '';
  if (name !== 'ports') return Object.hasOwn(KEYS, name) ? (KEYS[name] ?? null) : null;
  if (CONTAINERS.has(keys.at(-3) ?? '')) return ['containerPort', 'protocol'];
  return kind === 'Service' && keys.length === 2 ? ['port', 'protocol'] : null;
}

/** Items by what identifies them, `name=api`; null where an item has no identity, or shares it. */
export function identified(
  items: readonly unknown[],
  names: readonly string[],
): ReadonlyMap<string, unknown> | null {
  const found = new Map<string, unknown>();
  for (const item of items) {
    const identity = identityOf(item, names);
    if (identity === null || found.has(identity)) return null;
    found.set(identity, item);
  }
  return found;
}

function identityOf(item: unknown, names: readonly string[]): string | null {
  if (!isFields(item)) return null;
  const parts: string[] = [];
  for (const name of names) {
    const value = valueAt(item, name) ?? DEFAULTS[name];
    if (typeof value !== 'string' && typeof value !== 'number') return null;
    parts.push(`${name}=${value}`);
  }
  return parts.join(',');
}
