/** What runs, as far as the configuration says: image tags, chart versions, source revisions found in the selections. */
import { parseText } from '../yaml/document.ts';
import { locate } from '../yaml/locate.ts';
import type { Selector } from '../yaml/selector.ts';
import type { Content } from './content.ts';
import { mayBeYaml } from './keep.ts';
import type { Snapshot } from './snapshot.ts';
import { isFile } from './view.ts';

export interface Identity {
  readonly images: readonly string[];
  /** `chart version`. */
  readonly charts: readonly string[];
  readonly revisions: readonly string[];
}

const FILES = 200;

export async function identityOf(snapshot: Snapshot, { files, parts, shared }: Content): Promise<Identity> {
  const found = { images: new Set<string>(), charts: new Set<string>(), revisions: new Set<string>() };
  const whole = [...files.values()].filter(
    ({ path, mode }) => mayBeYaml(path) && isFile(mode) && snapshot.layout.keep.path(path) === null,
  );
  for (const { id } of whole.slice(0, FILES))
    for (const value of await valuesOf(snapshot, id)) collect(value, found);
  for (const { path, selector } of parts.values()) {
    const id = shared.get(path)?.id;
    const text = id === undefined ? null : await snapshot.text(id);
    if (text !== null)
      collect(
        quietly(() => partValue(text, selector)),
        found,
      );
  }
  const sorted = (set: Set<string>) => [...set].sort();
  return { images: sorted(found.images), charts: sorted(found.charts), revisions: sorted(found.revisions) };
}

async function valuesOf(snapshot: Snapshot, id: string): Promise<unknown[]> {
  const text = await snapshot.text(id).catch(() => null);
  if (text === null || !/image|tag|chart|revision/i.test(text)) return [];
  return (
    quietly(() =>
      parseText(text).documents.map((document): unknown => document.toJS({ maxAliasCount: 100 })),
    ) ?? []
  );
}

function partValue(text: string, selector: Selector): unknown {
  const parsed = parseText(text);
  const found = locate(parsed, selector);
  return found?.node ? found.node.toJS(found.body.document, { maxAliasCount: 100 }) : null;
}

function quietly<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null;
  }
}

interface Found {
  readonly images: Set<string>;
  readonly charts: Set<string>;
  readonly revisions: Set<string>;
}

function collect(value: unknown, found: Found): void {
  if (Array.isArray(value)) for (const item of value) collect(item, found);
  else if (typeof value === 'object' && value !== null) collectMap(new Map(Object.entries(value)), found);
}

function collectMap(map: ReadonlyMap<string, unknown>, found: Found): void {
  const text = (key: string) => {
    const value = map.get(key);
    return (typeof value === 'string' || typeof value === 'number') && String(value).length <= 300
      ? String(value)
      : null;
  };
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
