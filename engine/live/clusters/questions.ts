/** How few questions answer many queries: by name where a few objects are wanted, else a namespace or the whole cluster at once. */
import type { ObjectQuery } from '../../model/index.ts';

/** Of one call of `kubectl get`. */
export interface Question {
  /** `one`: of `namespace`; `all`: of all namespaces. */
  readonly of: 'one' | 'all';
  /** null: not namespaced, or all of them. */
  readonly namespace: string | null;
  /** As kubectl takes them: `Deployment.v1.apps/api` for one object, `Deployment.v1.apps` for all. */
  readonly words: readonly string[];
  /** What it answers. */
  readonly queries: readonly ObjectQuery[];
}

/** So many objects are asked for by name: each is a request of its own. */
const MOST_NAMES = 12;

const VERSION = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?v[0-9][a-z0-9]{0,30}$/;
const KIND = /^[A-Z][A-Za-z0-9]{0,62}$/;
const SPACE = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Names of roles have colons. */
const NAME = /^[a-z0-9](?:[a-z0-9.:-]{0,251}[a-z0-9])?$/;

/** Names come from manifests, and are filled from those of a repository: what is no name of Kubernetes is never asked for. */
export function isAskable({ apiVersion, kind, namespace, name }: ObjectQuery): boolean {
  return (
    VERSION.test(apiVersion) &&
    KIND.test(kind) &&
    (namespace === null || SPACE.test(namespace)) &&
    (name === null || NAME.test(name))
  );
}

export function questionsFor(queries: readonly ObjectQuery[]): readonly Question[] {
  const spaces = [...new Set(queries.map(({ namespace }) => namespace))];
  const within = spaces.map((namespace) => queries.filter((query) => query.namespace === namespace));
  if (queries.length <= MOST_NAMES && queries.every(({ name }) => name !== null))
    return within.flatMap((own) => byName(own));
  const isNamespaced = ({ namespace }: ObjectQuery) => namespace !== null;
  const [named, cluster] = [queries.filter(isNamespaced), queries.filter((query) => !isNamespaced(query))];
  if (new Set(named.map(({ namespace }) => namespace)).size < 2)
    return [...listOf('one', named), ...listOf('one', cluster)];
  return [...listOf('all', named), ...listOf('one', cluster)];
}

/** The same in smaller parts, for where it may not be asked of all namespaces, or not of all kinds at once; [] where there are none. */
export function narrower({ of, words, queries }: Question): readonly Question[] {
  const kinds = [...new Set(queries.map(typeOf))];
  if (words.length > 1 && words.some((word) => word.includes('/')))
    return queries.flatMap((query) => byName([query]));
  if (kinds.length > 1)
    return kinds.flatMap((kind) =>
      listOf(
        of,
        queries.filter((query) => typeOf(query) === kind),
      ),
    );
  if (of === 'one') return [];
  const spaces = [...new Set(queries.map(({ namespace }) => namespace))];
  return spaces.flatMap((namespace) =>
    listOf(
      'one',
      queries.filter((query) => query.namespace === namespace),
    ),
  );
}

function byName(queries: readonly ObjectQuery[]): Question[] {
  const words = [...new Set(queries.map((query) => `${typeOf(query)}/${query.name ?? ''}`))];
  return queries.length === 0
    ? []
    : [{ of: 'one', namespace: queries[0]?.namespace ?? null, words, queries }];
}

function listOf(of: Question['of'], queries: readonly ObjectQuery[]): Question[] {
  const [first] = queries;
  if (first === undefined) return [];
  const words = [...new Set(queries.map(typeOf))];
  return [{ of, namespace: of === 'all' ? null : first.namespace, words, queries }];
}

/** `Deployment.v1.apps`, `Service.v1.`: kind, version and group, which kubectl tells from every other kind of that name. */
function typeOf({ apiVersion, kind }: ObjectQuery): string {
  const [group, version] = splitVersion(apiVersion);
  return `${kind}.${version}.${group}`;
}

/** Of `apps/v1`: `apps` and `v1`. */
export function splitVersion(apiVersion: string): readonly [group: string, version: string] {
  const at = apiVersion.lastIndexOf('/');
  return at < 0 ? ['', apiVersion] : [apiVersion.slice(0, at), apiVersion.slice(at + 1)];
}
