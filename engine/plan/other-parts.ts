/** A file that is restored as a whole, seen by whoever else has a part of it. */
import type { Coordinates, FileChange, Write } from '../model/index.ts';
import type { Selector } from '../yaml/core/selector.ts';
import { compareText, type Layout } from '../layout/layout.ts';
import { type Bindings, bindPath, type Pattern } from '../layout/pattern.ts';
import { type Part, readParts, type Snapshot } from '../snapshot/snapshot.ts';
import { decode } from '../yaml/core/text.ts';

export interface OtherParts {
  readonly path: string;
  /** Other environments that have another meaning afterwards, with their service where it is a service's part. */
  readonly foreign: readonly Bindings[];
  /** Other services of the same environment whose part has another meaning afterwards. */
  readonly changed: readonly string[];
  /** Those whose part goes away. */
  readonly removed: readonly string[];
  /** Parts of several environments may stand in the file, and a side of it cannot be taken apart. */
  readonly isUncertain: boolean;
}

/** Parts are compared by what they say, aliases replaced by what they stand for: an anchor elsewhere may be all that changes. */
export async function otherParts(
  snapshot: Snapshot,
  scope: Coordinates,
  file: FileChange,
): Promise<OtherParts> {
  const { layout } = snapshot;
  const sides = [await readSide(snapshot, file.before), await readSide(snapshot, file.after)] as const;
  const services: Difference[] = [];
  const places: Difference[] = [];
  let isUncertain = false;
  for (const pattern of [...layout.service, ...layout.environment]) {
    const bindings = bindPath(pattern, {}).match(file.path);
    if (bindings === null || pattern.selector === null) continue;
    services.push(...(differing(sides, { path: file.path, selector: pattern.selector, bindings }) ?? []));
    const place = placeIn(layout, pattern, bindings);
    const found = place.length === 0 ? [] : differing(sides, { path: file.path, selector: place, bindings });
    if (found === null) isUncertain = true;
    else places.push(...found);
  }
  const isOwn = ({ owner }: Difference) =>
    owner.tenant === scope.tenant && owner.environment === scope.environment;
  const known = [...services, ...places].filter(({ owner }) => !layout.isIgnored(owner));
  const others = known.filter(
    (part) => isOwn(part) && (part.owner.service ?? scope.service) !== scope.service,
  );
  const removed = others.filter(({ isGone }) => isGone);
  return {
    path: file.path,
    foreign: known.filter((part) => !isOwn(part)).map(({ owner }) => owner),
    changed: namesOf(others.filter((part) => !removed.includes(part))),
    removed: namesOf(removed),
    isUncertain,
  };
}

interface Difference {
  readonly owner: Bindings;
  readonly isGone: boolean;
}

const namesOf = (parts: readonly Difference[]) =>
  [...new Set(parts.flatMap(({ owner }) => owner.service ?? []))].sort(compareText);

/** What differs between the sides of a file; null where one cannot be taken apart. */
function differing([old, now]: readonly [Side, Side], place: Place): Difference[] | null {
  const { bindings } = place;
  const [before, after] = [partsOf(old, place), partsOf(now, place)];
  if (before === null || after === null) return null;
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  return keys
    .filter((key) => before.get(key)?.source !== after.get(key)?.source)
    .map((key) => ({
      owner: (before.get(key) ?? after.get(key))?.bindings ?? bindings,
      isGone: !after.has(key),
    }));
}

/** null: nothing is there. `text` is null where what is there is no text. */
type Side = { readonly text: string | null } | null;

export async function readSide(snapshot: Snapshot, entry: Write['after']): Promise<Side> {
  if (entry === null) return null;
  return { text: entry.content ? decode(entry.content) : await snapshot.text(entry) };
}

interface Place {
  readonly path: string;
  readonly selector: Selector;
  readonly bindings: Bindings;
}

/** By what the layout binds; null where the text cannot be taken apart. */
function partsOf(side: Side, place: Place): Map<string, Part> | null {
  if (side === null) return new Map();
  const parts = readParts('', side.text, { ...place, kept: [] });
  if (parts.some(({ range }) => range === null)) return null;
  return new Map(parts.map((part) => [JSON.stringify(part.bindings), part]));
}

/** The steps of a pattern up to the one that says which environment it is: all below is that environment's. [] where the path says so. */
function placeIn({ hasTenant }: Layout, { selector }: Pattern, bindings: Bindings): Selector {
  const names = (['environment', ...(hasTenant ? (['tenant'] as const) : [])] as const).filter(
    (name) => bindings[name] === undefined,
  );
  const steps = selector ?? [];
  const places = names.map((name) =>
    steps.findIndex((step) => {
      const texts = 'key' in step ? [step.key] : 'match' in step ? Object.values(step.match) : [];
      return texts.some((text) => text.includes(`{${name}}`));
    }),
  );
  return steps.slice(0, Math.max(-1, ...places) + 1);
}
