/** Describes the changes of a plan for display: by service, file and field, and their impact. */
import {
  type Entry,
  type FileChange,
  type FileDifference,
  type Impact,
  isFailure,
  MODE,
  type ObjectId,
  type ServiceDifference,
  type Write,
} from '../model/index.ts';
import { differenceOf } from '../yaml/diff/diff.ts';
import { parseSelector } from '../yaml/core/selector.ts';
import type { ScopeQuery } from '../snapshot/scope-content.ts';
import { discover } from '../layout/discover.ts';
import { inLayoutNames } from '../layout/fields/names.ts';
import { compareText, isShared, serviceOfField, serviceOfPath } from '../layout/layout.ts';
import type { CheckContext } from './check-context.ts';
import { type Snapshot } from '../snapshot/snapshot.ts';
import { decode } from '../yaml/core/text.ts';
import { isFile } from '../snapshot/view.ts';

export { shortenDiff } from '../yaml/diff/shorten-diff.ts';

export async function describeChanges(
  context: CheckContext,
): Promise<{ changes: ServiceDifference[]; impact: Impact }> {
  const { query } = context;
  const differences: FileDifference[] = [];
  for (const file of context.files) differences.push(await differenceOfFile(query.snapshot, file));
  const changes = byService(query, differences);
  return { changes, impact: await impactOf(context, changes) };
}

export async function differenceOfFile(snapshot: Snapshot, file: FileChange): Promise<FileDifference> {
  const { path, before, after } = file;
  if ([before, after].some((entry) => entry && !isReadable(entry)))
    return { path, change: kindOf(file), diff: `${entryLine('-', before)}${entryLine('+', after)}` };
  const sides = await readSides(snapshot, file);
  if (sides === null) return { path, change: kindOf(file), diff: 'The file is too large to show.\n' };
  const difference = withLayoutNames(
    snapshot,
    differenceOf({ path, unmasked: snapshot.layout.unmasked(path), ...sides }),
    sides,
  );
  if (!before || !after || before.mode === after.mode) return difference;
  return { ...difference, diff: `mode ${before.mode} → ${after.mode}\n${difference.diff ?? ''}` };
}

function withLayoutNames(snapshot: Snapshot, difference: FileDifference, sides: FileBytes): FileDifference {
  const { path, fields } = difference;
  if (!fields?.length) return difference;
  const [before, after] = [sides.before && decode(sides.before), sides.after && decode(sides.after)];
  return { ...difference, fields: inLayoutNames(snapshot.layout, fields, { path, before, after }) };
}

const isReadable = ({ mode }: Entry) => isFile(mode) || mode === MODE.symlink;

/** A line for an entry without text: its object id; a submodule as in git's diffs. */
function entryLine(sign: string, entry: Entry | null): string {
  if (entry === null) return '';
  return `${sign}${entry.mode === MODE.submodule ? 'Subproject commit' : `Mode ${entry.mode}`} ${entry.id}\n`;
}

const kindOf = ({ before, after }: FileChange) =>
  before === null ? 'added' : after === null ? 'removed' : 'modified';

interface FileBytes {
  readonly before: Uint8Array | null;
  readonly after: Uint8Array | null;
}

/** null if a side is above the reader's limit. */
async function readSides(snapshot: Snapshot, { before, after }: FileChange): Promise<FileBytes | null> {
  try {
    return { before: await bytesOf(snapshot, before), after: await bytesOf(snapshot, after) };
  } catch (error) {
    if (isFailure(error) && error.code === 'FILE_TOO_LARGE') return null;
    throw error;
  }
}

async function bytesOf(snapshot: Snapshot, entry: Entry | Write['after']): Promise<Uint8Array | null> {
  if (!entry) return null;
  return 'content' in entry && entry.content ? entry.content : snapshot.reader.blob(entry.id);
}

/** Groups differences by the service that owns the file or the part; the environment's own (null) first. */
export function byService(query: ScopeQuery, files: readonly FileDifference[]): ServiceDifference[] {
  const groups = new Map<string | null, FileDifference[]>();
  const add = (service: string | null, file: FileDifference) =>
    groups.set(service, [...(groups.get(service) ?? []), file]);
  for (const file of files) for (const [service, part] of splitByService(query, file)) add(service, part);
  return [...groups]
    .map(([service, owned]) => ({ service, files: owned }))
    .sort((a, b) => compareText(a.service ?? '', b.service ?? ''));
}

/** Splits the field differences of a shared file by the service that owns each. */
function splitByService(
  { snapshot, scope: own }: ScopeQuery,
  file: FileDifference,
): Map<string | null, FileDifference> {
  const { layout } = snapshot;
  const { service: _, ...environment } = own;
  // Restored as a whole, a shared file changes for the other services too.
  const scope = own.wholeFile && isShared(layout, environment, file.path) ? environment : own;
  const whole = serviceOfPath(layout, scope, file.path);
  if (whole !== null || !file.fields?.length) return new Map([[whole, file]]);
  const owners = new Map<string | null, FileDifference>();
  for (const field of file.fields) {
    const owner = serviceOfField(layout, scope, { path: file.path, selector: parseSelector(field.selector) });
    owners.set(owner, { ...file, fields: [...(owners.get(owner)?.fields ?? []), field] });
  }
  return owners;
}

async function impactOf(
  { query, input, files }: CheckContext,
  changes: readonly ServiceDifference[],
): Promise<Impact> {
  const { layout } = query.snapshot;
  const paths = files.map(({ path }) => path);
  const touched = changes.flatMap(({ service }) => service ?? []);
  const general = changes.find(({ service }) => service === null)?.files ?? [];
  // Variables of the environment affect all its services; a shared file without field differences may.
  const isForAll = ({ path, fields }: FileDifference) =>
    layout.isVariables(path) || (fields === undefined && isShared(layout, query.scope, path));
  const commits = [query.snapshot.base, input.target.commit];
  const all = general.some(isForAll) ? await everyService(query, commits) : [];
  return {
    services: [...new Set([...touched, ...all])].sort(compareText),
    bindings: paths.filter((path) => layout.isBinding(path)),
    variables: paths.filter((path) => layout.isVariables(path)),
    files: files.length,
    fields: changes
      .flatMap((change) => change.files)
      .reduce((sum, file) => sum + (file.fields?.length ?? 0), 0),
  };
}

async function everyService(
  { snapshot, scope }: ScopeQuery,
  commits: readonly ObjectId[],
): Promise<string[]> {
  const { tenant } = scope;
  const environment = { environment: scope.environment, ...(tenant !== undefined && { tenant }) };
  const views = await Promise.all(commits.map((commit) => snapshot.view(commit)));
  const scopes = await Promise.all(views.map((view) => discover(view, snapshot.layout, environment)));
  return scopes.flat().flatMap(({ service }) => service ?? []);
}
