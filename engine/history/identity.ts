/** The deployed versions that a configuration declares: image tags, chart versions, source revisions. */
import type { Entry } from '../model/index.ts';
import type { ParsedText } from '../yaml/core/document.ts';
import { locate } from '../yaml/core/locate.ts';
import { maskText } from '../yaml/mask/mask.ts';
import { parseFileLoosely } from '../yaml/core/parse-file.ts';
import { formatSelector, type Selector } from '../yaml/core/selector.ts';
import type { ScopeContent } from '../snapshot/scope-content.ts';
import { keptIn } from '../snapshot/scope-content.ts';
import { mayBeYaml } from '../layout/keep.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { isFile } from '../snapshot/view.ts';

export interface Identity {
  readonly images: readonly string[];
  /** `chart version`. */
  readonly charts: readonly string[];
  readonly revisions: readonly string[];
}

interface IdentitySets {
  readonly images: Set<string>;
  readonly charts: Set<string>;
  readonly revisions: Set<string>;
}

/** Maximum number of files examined per scope. */
const MAX_FILES = 200;
/** Replaces secrets, so that the text still parses; `***` would be an alias. */
const MASK_WORD = 'hidden-by-backtrail';

/** Returns a function that reads the identity of a content. Caches by file: most files are equal between revisions. */
export function identityReader(snapshot: Snapshot): (content: ScopeContent) => Promise<Identity> {
  const known = new Map<string, Promise<IdentitySets>>();
  const look = (path: string, entry: Entry, selector: Selector) => {
    const key = `${entry.id} ${path}#${formatSelector(selector)}`;
    const found = known.get(key) ?? readIdentity({ snapshot, path, entry, selector });
    known.set(key, found);
    return found;
  };
  return async ({ files, parts, shared }) => {
    const whole = [...files.values()].filter(({ path, mode }) => mayBeYaml(path) && isFile(mode));
    const all = [
      ...whole.slice(0, MAX_FILES).map((file) => look(file.path, file, [])),
      ...[...parts.values()].flatMap(({ path, selector }) => {
        const file = shared.get(path);
        return file ? [look(path, file, selector)] : [];
      }),
    ];
    return merge(await Promise.all(all));
  };
}

function merge(found: readonly IdentitySets[]): Identity {
  const sorted = (key: keyof IdentitySets) => [...new Set(found.flatMap((one) => [...one[key]]))].sort();
  return { images: sorted('images'), charts: sorted('charts'), revisions: sorted('revisions') };
}

interface IdentitySource {
  readonly snapshot: Snapshot;
  readonly path: string;
  readonly entry: Entry;
  readonly selector: Selector;
}

/** Excludes secret and kept values: a Secret may have a key `tag`. */
async function readIdentity({ snapshot, path, entry, selector }: IdentitySource): Promise<IdentitySets> {
  const found: IdentitySets = { images: new Set(), charts: new Set(), revisions: new Set() };
  const text = await snapshot.text(entry);
  if (text === null || !/image|tag|chart|revision/i.test(text)) return found;
  if ((await keptIn(snapshot, path, [entry])).whole !== null) return found;
  const values = nullIfInvalid(() =>
    valuesIn(
      parseFileLoosely(
        path,
        maskText(text, path, () => MASK_WORD),
      ),
      selector,
    ),
  );
  for (const value of values ?? []) collect(value, found);
  return found;
}

function valuesIn(parsed: ParsedText, selector: Selector): unknown[] {
  const plain = { maxAliasCount: 100 };
  if (selector.length === 0) return parsed.documents.map((document): unknown => document.toJS(plain));
  const located = locate(parsed, selector);
  return located?.node ? [located.node.toJS(located.body.document, plain)] : [];
}

function nullIfInvalid<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null;
  }
}

function collect(value: unknown, found: IdentitySets): void {
  if (Array.isArray(value)) for (const item of value) collect(item, found);
  else if (typeof value === 'object' && value !== null) collectMap(new Map(Object.entries(value)), found);
}

function collectMap(map: ReadonlyMap<string, unknown>, found: IdentitySets): void {
  const text = (key: string) => versionText(map.get(key));
  const [image, repository, tag] = [text('image'), text('repository'), text('tag') ?? text('digest')];
  if (image !== null) found.images.add(image);
  if (tag !== null) found.images.add(repository === null ? tag : `${repository}:${tag}`);
  for (const key of ['newTag', 'imageTag', 'imageVersion']) {
    const other = text(key);
    if (other !== null) found.images.add(other);
  }
  const [chart, version] = [text('chart'), text('version')];
  if (chart !== null && version !== null) found.charts.add(`${chart} ${version}`);
  for (const key of ['targetRevision', 'sourceRevision', 'gitCommit', 'revision']) {
    const revision = text(key);
    if (revision !== null) found.revisions.add(revision);
  }
  for (const child of map.values()) collect(child, found);
}

function versionText(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const text = String(value);
  return text === '' || text.length > 300 || text.includes(MASK_WORD) ? null : text;
}
