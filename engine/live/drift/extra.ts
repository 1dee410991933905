/** Objects that a deployer has, and that the repository does not declare: only where the deployer itself lists them. */
import type { DriftObject, LiveTarget } from '../../model/index.ts';
import { groupOf, textAt } from '../read.ts';
import type { ObjectName } from './application.ts';
import { type Delivered, MOST_OBJECTS } from './place.ts';
import { shownText } from './shown.ts';

/** `isWhole`: of an environment with all its services. */
export function extraObjects(delivered: readonly Delivered[], isWhole: boolean): readonly DriftObject[] {
  const declared = new Set(
    delivered.flatMap(({ target: { rule }, manifests }) =>
      manifests.map(({ apiVersion, kind, name }) =>
        keyOf(rule.cluster, { group: groupOf(apiVersion), kind, name }),
      ),
    ),
  );
  const found = new Map<string, DriftObject>();
  const add = (cluster: string, objects: readonly ObjectName[]) => {
    // By name alone: which namespace a manifest is in is the deployer's to say.
    for (const object of objects)
      if (!declared.has(keyOf(cluster, object)) && found.size < MOST_OBJECTS)
        found.set(JSON.stringify([cluster, object]), extra(cluster, object));
  };
  for (const { target, owners } of delivered)
    add(target.rule.cluster, owners.application?.rules?.extra ?? []);
  for (const [first, ...others] of byKustomization(delivered))
    if (first !== undefined && isOwn([first, ...others], isWhole))
      add(first.target.rule.cluster, first.owners.kustomization?.rules?.inventory ?? []);
  return [...found.values()];
}

const keyOf = (cluster: string, { group, kind, name }: Omit<ObjectName, 'namespace'>) =>
  JSON.stringify([cluster, group, kind, name]);

/** What is applied together. */
function byKustomization(delivered: readonly Delivered[]): readonly (readonly Delivered[])[] {
  const groups = new Map<string, Delivered[]>();
  for (const each of delivered) {
    const { kustomization } = each.owners;
    if (!kustomization?.rules) continue;
    const { object } = kustomization;
    const named = ['namespace', 'name'].map((key) => textAt(object, 'metadata', key));
    const key = JSON.stringify([each.target.rule.cluster, ...named]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return [...groups.values()];
}

/** Whether a Kustomization applies these manifests alone: it is of no other scope, and its folder lies in the one that has all of them. */
function isOwn(group: readonly [Delivered, ...Delivered[]], isWhole: boolean): boolean {
  const [{ target, owners }] = group;
  const applied = folderOf(
    textAt(owners.kustomization?.rules ? owners.kustomization.object : null, 'spec', 'path') ?? '',
  );
  const [first = [], ...rest] = group.flatMap(({ manifests }) =>
    manifests.map(({ path }) => path.split('/').slice(0, -1)),
  );
  let depth = first.length;
  for (const path of rest) while (first.slice(0, depth).some((part, at) => path[at] !== part)) depth -= 1;
  return (
    isOfScope(target, isWhole) && depth > 0 && first.slice(0, depth).every((part, at) => applied[at] === part)
  );
}

/** By its names: one that several environments or services share has objects of all of them. */
function isOfScope({ tenant, service, rule }: LiveTarget, isWhole: boolean): boolean {
  const { match, flux } = rule;
  const template = `${flux?.namespace ?? ''}/${flux?.kustomization ?? ''}`;
  const parts = match.split('/');
  const isFixed = (part: string | undefined) => part !== undefined && !part.includes('*');
  return (
    (tenant === undefined || template.includes('{tenant}') || isFixed(parts.at(-2))) &&
    (template.includes('{environment}') || isFixed(parts.at(-1))) &&
    (isWhole || service === undefined || template.includes('{service}'))
  );
}

const folderOf = (path: string) => path.split('/').filter((part) => part !== '' && part !== '.');

function extra(cluster: string, { kind, namespace, name }: ObjectName): DriftObject {
  const shown = (text: string) => shownText(text, 253);
  return {
    cluster,
    kind: shown(kind),
    namespace: namespace === null ? null : shown(namespace),
    name: shown(name),
    state: 'extra',
    fields: [],
  };
}
