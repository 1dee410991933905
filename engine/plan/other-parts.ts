/** The parts of a file, restored as a whole, that belong to others. */
import type { Coordinates, FileChange, Write } from '../model/index.ts';
import type { Selector } from '../yaml/core/selector.ts';
import { compareText, type Layout } from '../layout/layout.ts';
import { type Bindings, bindPath, type Pattern } from '../layout/pattern.ts';
import { type FilePart, readParts, type Snapshot } from '../snapshot/snapshot.ts';
import { decode } from '../yaml/core/text.ts';

export interface OtherParts {
  readonly path: string;
  /** Owners in other environments whose parts change in meaning, with the service of a service's part. */
  readonly foreign: readonly Bindings[];
  /** Other services of the same environment whose parts change in meaning. */
  readonly changed: readonly string[];
  /** Other services whose parts are removed. */
  readonly removed: readonly string[];
  /** The file may have parts of several environments, and a side of it cannot be parsed. */
  readonly isUncertain: boolean;
}

/** Compares parts by canonical source with aliases resolved: a change may be in an anchor elsewhere. */
export async function otherParts(
  snapshot: Snapshot,
  scope: Coordinates,
  file: FileChange,
): Promise<OtherParts> {
  const { layout } = snapshot;
  const sides = [await readSide(snapshot, file.before), await readSide(snapshot, file.after)] as const;
  const services: PartDifference[] = [];
  const places: PartDifference[] = [];
  let isUncertain = false;
  for (const pattern of [...layout.service, ...layout.environment]) {
    const bindings = bindPath(pattern, {}).match(file.path);
    if (bindings === null || pattern.selector === null) continue;
    services.push(
      ...(differingParts(sides, { path: file.path, selector: pattern.selector, bindings }) ?? []),
    );
    const parent = environmentSelector(layout, pattern, bindings);
    const differing =
      parent.length === 0 ? [] : differingParts(sides, { path: file.path, selector: parent, bindings });
    if (differing === null) isUncertain = true;
    else places.push(...differing);
  }
  const isOwn = ({ owner }: PartDifference) =>
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

interface PartDifference {
  readonly owner: Bindings;
  readonly isGone: boolean;
}

const namesOf = (parts: readonly PartDifference[]) =>
  [...new Set(parts.flatMap(({ owner }) => owner.service ?? []))].sort(compareText);

/** Parts that differ between the sides of a file; null if a side cannot be parsed. */
function differingParts(
  [old, now]: readonly [SideText, SideText],
  place: PartPattern,
): PartDifference[] | null {
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

/** null: the file does not exist. `text` null: it is not a text. */
type SideText = { readonly text: string | null } | null;

export async function readSide(snapshot: Snapshot, entry: Write['after']): Promise<SideText> {
  if (entry === null) return null;
  return { text: entry.content ? decode(entry.content) : await snapshot.text(entry) };
}

interface PartPattern {
  readonly path: string;
  readonly selector: Selector;
  readonly bindings: Bindings;
}

/** Parts by their bindings; null if the text cannot be parsed. */
function partsOf(side: SideText, place: PartPattern): Map<string, FilePart> | null {
  if (side === null) return new Map();
  const parts = readParts('', side.text, { ...place, kept: [] });
  if (parts.some(({ range }) => range === null)) return null;
  return new Map(parts.map((part) => [JSON.stringify(part.bindings), part]));
}

/** The steps of a pattern up to the one that names the environment: everything below belongs to it. [] if the path names it. */
function environmentSelector({ hasTenant }: Layout, { selector }: Pattern, bindings: Bindings): Selector {
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
