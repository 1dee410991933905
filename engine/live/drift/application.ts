/** What an Application of Argo CD says of drift: which fields may differ, where its objects are, and which are to be pruned. */
import { type IgnoredField, parseJqPath, parsePointer } from './ignored.ts';
import { groupOf, listAt, textAt, valueAt } from '../read.ts';

export interface ObjectName {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string | null;
  readonly name: string;
}

export interface ApplicationRules {
  /** Of manifests that name none. */
  readonly namespace: string | null;
  /** Why its objects are not in the cluster that it is in; null: they are. */
  readonly elsewhere: string | null;
  /** Which fields of an object may differ, and what of that could not be understood. */
  readonly ignoredOf: (object: ObjectName) => Ignored;
  /** What the repository does not declare any more. */
  readonly extra: readonly ObjectName[];
}

export interface Ignored {
  readonly fields: readonly IgnoredField[];
  /** Expressions of jq that are no plain paths. */
  readonly unread: readonly string[];
  /** Fields of these managers may differ, and which those are is not known here. */
  readonly managers: readonly string[];
}

export const NOTHING_IGNORED: Ignored = { fields: [], unread: [], managers: [] };

const LOCAL = /^https:\/\/kubernetes\.default\.svc(?:\.cluster\.local)?(?::443)?\/?$/;

export function applicationRules(application: unknown): ApplicationRules {
  const entries = ignoredByAll(listAt(application, 'spec', 'ignoreDifferences'));
  const server = textAt(application, 'spec', 'destination', 'server');
  const cluster = textAt(application, 'spec', 'destination', 'name');
  const isHere =
    (server === undefined || LOCAL.test(server)) && (cluster === undefined || cluster === 'in-cluster');
  return {
    namespace: textAt(application, 'spec', 'destination', 'namespace') ?? null,
    elsewhere: isHere ? null : `Argo CD deploys it to another cluster (${cluster ?? server ?? ''}).`,
    ignoredOf: (object) =>
      joined(entries.filter(({ entry }) => isFor(entry, object)).map(({ ignored }) => ignored)),
    extra: listAt(application, 'status', 'resources').flatMap((each) => {
      const kind = textAt(each, 'kind');
      const name = textAt(each, 'name');
      if (kind === undefined || name === undefined || valueAt(each, 'requiresPruning') !== true) return [];
      const namespace = textAt(each, 'namespace') ?? null;
      return [{ group: textAt(each, 'group') ?? '', kind, name, namespace }];
    }),
  };
}

/** `group` and `kind` may have stars; a name or a namespace that is empty is any. */
function isFor(entry: unknown, { group, kind, namespace, name }: ObjectName): boolean {
  const fits = (wanted: string | undefined, is: string | null) => wanted === undefined || wanted === is;
  return (
    hasStars(textAt(entry, 'group') ?? '', group) &&
    hasStars(textAt(entry, 'kind') ?? '', kind) &&
    fits(textAt(entry, 'name'), name) &&
    fits(textAt(entry, 'namespace'), namespace)
  );
}

/** Greedy matching suffices for `*`; no backtracking. */
function hasStars(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (!text.startsWith(first) || !text.slice(first.length).endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** Entries, and of all of them together expressions: each is held against each field that differs. */
const MOST = 500;

function ignoredByAll(
  entries: readonly unknown[],
): readonly { readonly entry: unknown; readonly ignored: Ignored }[] {
  let left = MOST;
  return entries.slice(0, MOST).map((entry) => {
    const ignored = ignoredBy(entry, left);
    left -= ignored.fields.length;
    return { entry, ignored };
  });
}

function ignoredBy(entry: unknown, most: number): Ignored {
  const texts = (key: string) => listAt(entry, key).filter((each) => typeof each === 'string');
  const { pointers, jq } = { pointers: texts('jsonPointers'), jq: texts('jqPathExpressions') };
  const isTooMuch = pointers.length + jq.length > most;
  const expressions = jq
    .slice(0, Math.max(0, most - pointers.length))
    .map((text) => ({ text, field: parseJqPath(text) }));
  return {
    fields: [
      ...pointers.slice(0, most).flatMap((pointer) => parsePointer(pointer) ?? []),
      ...expressions.flatMap(({ field }) => field ?? []),
    ],
    unread: [
      ...expressions.flatMap(({ text, field }) => (field === null ? [text] : [])),
      ...(isTooMuch ? [`more than ${MOST} paths`] : []),
    ],
    managers: texts('managedFieldsManagers').slice(0, MOST),
  };
}

export const joined = (all: readonly Ignored[]): Ignored => ({
  fields: all.flatMap(({ fields }) => fields),
  unread: all.flatMap(({ unread }) => unread),
  managers: all.flatMap(({ managers }) => managers),
});

export const objectName = ({
  apiVersion,
  kind,
  name,
  namespace,
}: {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | null;
}): ObjectName => ({ group: groupOf(apiVersion), kind, name, namespace });
