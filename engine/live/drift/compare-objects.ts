/** How what a cluster answered differs from what was delivered: declared fields only. */
import type { ClusterAnswer, ClusterObject, DriftField, DriftObject } from '../../model/index.ts';
import type { DeclaredObject } from '../observer.ts';
import type { Ignored } from './application.ts';
import { REPLICAS } from './autoscaled.ts';
import { type Difference, differencesOf } from './differences.ts';
import { hasUnignored, type IgnoredField, isIgnored, parsePointer } from './ignored.ts';
import { whyAbsent } from './never-compared.ts';
import { isFields } from '../read.ts';
import { formatPath } from './path.ts';
import { nameIn } from './scope-of-kind.ts';
import { showField, shownText } from './shown.ts';

/** An object of the manifests, and where it is to be. */
export interface PlacedObject {
  readonly cluster: string;
  readonly declared: DeclaredObject;
  /** null: not namespaced, or nobody knows. */
  readonly namespace: string | null;
  /** null: nobody knows. */
  readonly isNamespaced: boolean | null;
  readonly ignored: Ignored;
  /** Why it is not asked for; null: it is. */
  readonly why: string | null;
}

export interface ComparedObject extends PlacedObject {
  /** null: it was not asked for. */
  readonly answer: ClusterAnswer | null;
  /** Whether an autoscaler says how many replicas it has; a text: why that is not known. */
  readonly scaled: boolean | string;
}

/** Fields of one object that are told of, and of all together. */
const MOST = 100;
const MOST_TOGETHER = 10_000;

/** `ignore`: of the configuration. */
export function compareObjects(
  objects: readonly ComparedObject[],
  { ignore }: { readonly ignore: readonly IgnoredField[] },
): readonly DriftObject[] {
  let left = MOST_TOGETHER;
  return objects.map((object) => {
    const compared = compareObject(object, { ignore, most: Math.min(MOST, left) });
    left -= compared.fields.length;
    return compared;
  });
}

interface Limits {
  readonly ignore: readonly IgnoredField[];
  readonly most: number;
}

function compareObject(object: ComparedObject, limits: Limits): DriftObject {
  const { declared, answer, why } = object;
  if (why !== null || answer === null)
    return told(object, 'unchecked', { message: why ?? 'It was not asked for.' });
  if (answer.problem !== null) return told(object, 'unchecked', { message: answer.problem.message });
  const live = answer.objects.find((each) => nameIn(each) === declared.name);
  if (live === undefined) {
    const absent = whyAbsent(declared);
    return absent === null ? told(object, 'missing') : told(object, 'unchecked', { message: absent });
  }
  if (live['apiVersion'] !== declared.apiVersion)
    return told(object, 'unchecked', { message: `The cluster does not answer in ${declared.apiVersion}.` });
  return compareWith(object, live, limits);
}

function compareWith(object: ComparedObject, live: ClusterObject, { ignore, most }: Limits): DriftObject {
  const { declared, ignored, scaled } = object;
  const { kind, value } = declared;
  const mayDiffer = [...NEVER, ...ignore, ...ignored.fields, ...(scaled === true ? [REPLICAS] : [])];
  const different = differencesOf(value, live).filter(({ steps, desired }) =>
    hasUnignored(mayDiffer, { kind, steps, value: desired }),
  );
  // Whether the number of replicas is a person's or an autoscaler's is not known.
  const unsure =
    typeof scaled === 'string' ? different.filter(({ steps }) => isIgnored([REPLICAS], kind, steps)) : [];
  const sure = different.filter((each) => !unsure.includes(each));
  const notes = [
    ...(unsure.length > 0
      ? [`spec.replicas differs, and whether an autoscaler sets it is not known: ${String(scaled)}`]
      : []),
    ...(sure.length > most ? [`${sure.length - most} more fields differ.`] : []),
    ...(sure.length > 0 ? notUnderstood(ignored) : []),
  ];
  if (sure.length === 0) return told(object, unsure.length > 0 ? 'unchecked' : 'same', { message: notes[0] });
  const fields = sure.slice(0, most).map((each) => fieldOf(each, value, live));
  const state = ignored.managers.length > 0 ? 'unchecked' : 'differs';
  return told(object, state, { fields, message: notes.length > 0 ? notes.join(' ') : undefined });
}

function notUnderstood({ unread, managers }: Ignored): string[] {
  return [
    ...(managers.length > 0
      ? [
          `Argo CD ignores fields of managers (${managers.slice(0, 5).join(', ')}), and which those are is not known here.`,
        ]
      : []),
    ...(unread.length > 0
      ? [
          `Argo CD may ignore them: its ignoreDifferences has what is no plain path (${unread.slice(0, 3).join(', ')}).`,
        ]
      : []),
  ];
}

/** What names an object, and what its cluster alone writes. */
const NEVER: readonly IgnoredField[] = [
  '/apiVersion',
  '/kind',
  '/status',
  ...[
    'name',
    'namespace',
    'uid',
    'resourceVersion',
    'generation',
    'creationTimestamp',
    'managedFields',
    'selfLink',
  ].map((key) => `/metadata/${key}`),
].flatMap((pointer) => parsePointer(pointer) ?? []);

function fieldOf(difference: Difference, declared: unknown, object: unknown): DriftField {
  const { steps, desired } = difference;
  const live = 'live' in difference ? { object, value: difference.live } : null;
  const path = shownText(formatPath(steps), PATH);
  return { path, ...showField(steps, { desired: { object: declared, value: desired }, live }) };
}

const PATH = 500;
const NAME = 253;
const MESSAGE = 500;

function told(
  { cluster, declared, namespace }: PlacedObject,
  state: DriftObject['state'],
  {
    fields = [],
    message,
  }: { readonly fields?: readonly DriftField[]; readonly message?: string | undefined } = {},
): DriftObject {
  const [kind, name] = [shownText(declared.kind, NAME), shownText(declared.name, NAME)];
  return {
    cluster,
    kind,
    namespace: namespace === null ? null : shownText(namespace, NAME),
    name,
    state,
    fields,
    ...(message !== undefined && { message: shownText(message, MESSAGE) }),
  };
}

/** Whether it runs another number of replicas than its manifest says. */
export function hasOtherReplicas({ declared, answer }: ComparedObject): boolean {
  const spec = declared.value['spec'];
  if (!isFields(spec) || !Object.hasOwn(spec, 'replicas')) return false;
  const live = answer?.objects?.find((each) => nameIn(each) === declared.name);
  if (live === undefined) return false;
  return differencesOf(declared.value, live).some(({ steps }) => isIgnored([REPLICAS], declared.kind, steps));
}
