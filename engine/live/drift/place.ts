/** In which cluster and namespace the objects of manifests are to be. */
import type { LiveTarget } from '../../model/index.ts';
import { filledName } from '../judgement/names.ts';
import type { DeclaredObject } from '../observer.ts';
import { joined, NOTHING_IGNORED, objectName } from './application.ts';
import type { PlacedObject } from './compare-objects.ts';
import { groupOf } from '../read.ts';
import { whyNotAsked } from './never-compared.ts';
import type { Owners } from './owners.ts';
import { isNamespaced } from './scope-of-kind.ts';

/** What of one target is to be where. */
export interface Delivered {
  readonly target: LiveTarget;
  readonly owners: Owners;
  readonly manifests: readonly DeclaredObject[];
}

/** Objects that are asked for together. */
export const MOST_OBJECTS = 10_000;

/** Of several rules for one object the first that can be asked counts, and all that they ignore. */
export function placeObjects(delivered: readonly Delivered[]): readonly PlacedObject[] {
  const placed = new Map<string, PlacedObject>();
  for (const each of delivered)
    for (const declared of each.manifests) {
      const object = placeObject(each, declared);
      const key = placeKey(object);
      const other = placed.get(key);
      placed.set(key, other === undefined ? object : both(other, object));
    }
  // Where one rule says in which namespace it is, the others need not.
  const known = new Set(
    [...placed.values()].flatMap((object) => (object.why === NO_NAMESPACE ? [] : nameKey(object))),
  );
  const objects = [...placed.values()].filter(
    (object) => object.why !== NO_NAMESPACE || !known.has(nameKey(object)),
  );
  return objects.map((object, at) =>
    at < MOST_OBJECTS || object.why !== null
      ? object
      : {
          ...object,
          why: `There are more than ${MOST_OBJECTS} objects: those after them are not asked for.`,
        },
  );
}

export const NO_NAMESPACE = 'Neither the manifest nor the rule of `live` names its namespace.';

const both = (one: PlacedObject, other: PlacedObject): PlacedObject => ({
  ...(one.why === null ? one : other),
  ignored: joined([one.ignored, other.ignored]),
});

function placeObject({ target, owners }: Delivered, declared: DeclaredObject): PlacedObject {
  const { application, kustomization } = owners;
  const { rule } = target;
  const { cluster } = rule;
  const isInNamespace = isNamespaced(declared);
  const namespace = isInNamespace === false ? null : namespaceOf(declared, { target, owners });
  const isNowhere = namespace === null && isInNamespace === true;
  const why =
    whyNotAsked(declared) ??
    application?.why ??
    kustomization?.why ??
    // Whoever names the objects themselves says that they are here.
    (rule.kubernetes === null ? (application?.rules?.elsewhere ?? kustomization?.rules?.elsewhere) : null) ??
    (isNowhere ? NO_NAMESPACE : null);
  const name = objectName({ ...declared, namespace });
  const ignored = application?.rules?.ignoredOf(name) ?? NOTHING_IGNORED;
  return { cluster, declared, namespace, isNamespaced: isInNamespace, ignored, why };
}

/** What of the manifest, its deployer and the rule names one. Flux puts all that it applies into its own. */
function namespaceOf(
  declared: DeclaredObject,
  { target, owners: { application, kustomization } }: Pick<Delivered, 'target' | 'owners'>,
): string | null {
  return (
    kustomization?.rules?.namespace ??
    declared.namespace ??
    namespaceOfRule(target) ??
    application?.rules?.namespace ??
    null
  );
}

function namespaceOfRule(target: LiveTarget): string | null {
  const template = target.rule.kubernetes?.namespace ?? null;
  return template === null ? null : filledName(template, target).name;
}

const nameKey = ({ cluster, declared: { apiVersion, kind, name } }: PlacedObject) =>
  JSON.stringify([cluster, groupOf(apiVersion), kind, name]);

const placeKey = (object: PlacedObject) => JSON.stringify([nameKey(object), object.namespace]);
