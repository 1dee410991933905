/** The deployed versions that a configuration declares: image tags, chart versions, source revisions. */
import { isScalar } from 'yaml';
import type { Entry } from '../model/index.ts';
import type { ParsedText } from '../yaml/core/document.ts';
import { locate } from '../yaml/core/locate.ts';
import { maskText, PARSED_LIMIT } from '../yaml/mask/mask.ts';
import { findSecrets } from '../yaml/mask/find-secrets.ts';
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

/** Parsed files that are remembered. */
const PARSED = 20;
/** Files of one scope that are looked at. */
const MAX_FILES = 200;
/** Stands in the place of secrets, so that what is left can be parsed; `***` cannot. */
const MASK_WORD = 'hidden-by-backtrail';

/** Reads the identity of contents. From one revision to the next most files are the same: each is looked at once. */
export function identityReader(snapshot: Snapshot): (content: ScopeContent) => Promise<Identity> {
  const known = new Map<string, Promise<IdentitySets>>();
  const parsed = new Map<string, Promise<ParsedText | null>>();
  const look = (path: string, entry: Entry, selector: Selector) => {
    const file = `${entry.id} ${path}`;
    const key = `${file}#${formatSelector(selector)}`;
    const found =
      known.get(key) ?? open(file, path, entry).then((text) => identityIn(text, selector, isChart(path)));
    known.set(key, found);
    return found;
  };
  /** One file may hold hundreds of parts. Those of the newest files stay: the next revision has most of them. */
  const open = (file: string, path: string, entry: Entry) => {
    const text = parsed.get(file) ?? openMasked({ snapshot, path, entry });
    parsed.delete(file);
    parsed.set(file, text);
    for (const old of [...parsed.keys()].slice(0, -PARSED)) parsed.delete(old);
    return text;
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
}

/** A file without what is secret or kept: a Secret may well have a key `tag`. null where there is nothing to be found. */
async function openMasked({ snapshot, path, entry }: IdentitySource): Promise<ParsedText | null> {
  const text = await snapshot.text(entry);
  if (text === null || !(isChart(path) || /image|tag|chart|revision/i.test(text))) return null;
  if ((await keptIn(snapshot, path, [entry])).whole !== null) return null;
  const isYaml = /\.ya?ml$/i.test(path) && text.length <= PARSED_LIMIT;
  return (
    (isYaml ? nullIfInvalid(() => parseHidden(path, text)) : null) ??
    nullIfInvalid(() => parseMasked(path, text))
  );
}

/** As `parseMasked`, by one parse: values that are masked, in part or whole, hold MASK_WORD. */
function parseHidden(path: string, text: string): ParsedText {
  const parsed = parseFileLoosely(path, text);
  const { masked, spans } = findSecrets(parsed.text, parsed.documents, () => MASK_WORD, parsed);
  // Some secret places hold what is no secret, such as `true`: there nothing is replaced.
  const replaced = new Set(spans.map(({ start }) => start));
  // Two keys stay two keys.
  for (const [index, node] of [...masked].entries())
    if (isScalar(node) && replaced.has(node.range?.[0] ?? -1)) node.value = `${MASK_WORD}-${index}`;
  return parsed;
}

const parseMasked = (path: string, text: string) =>
  parseFileLoosely(
    path,
    maskText(text, path, () => MASK_WORD),
  );

const isChart = (path: string) => /(?:^|\/)Chart\.ya?ml$/.test(path);

function identityIn(parsed: ParsedText | null, selector: Selector, ofChart: boolean): IdentitySets {
  const found: IdentitySets = { images: new Set(), charts: new Set(), revisions: new Set() };
  const values = parsed && nullIfInvalid(() => valuesIn(parsed, selector));
  for (const value of values ?? []) {
    collect(value, found);
    if (ofChart && typeof value === 'object' && value !== null) {
      const chart = new Map<string, unknown>(Object.entries(value));
      const [name, version] = [versionText(chart.get('name')), versionText(chart.get('version'))];
      if (name !== null && version !== null) found.charts.add(`${name} ${version}`);
    }
  }
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
  const [image, repository, tag, digest] = [text('image'), text('repository'), text('tag'), text('digest')];
  // Kustomize's `images`: the name that manifests have, or the one in its place.
  const name = text('newName') ?? text('name');
  const newTag = text('newTag');
  if (image !== null) found.images.add(image);
  if (tag !== null) found.images.add(repository === null ? tag : `${repository}:${tag}`);
  else if (digest !== null) {
    const of = repository ?? (digest.startsWith('sha') ? name : null);
    found.images.add(of === null ? digest : `${of}@${digest}`);
  }
  if (newTag !== null) found.images.add(name === null ? newTag : `${name}:${newTag}`);
  for (const key of ['imageTag', 'imageVersion']) {
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
