/** Why a layout that finds what was meant may still be wrong: what it joins, and what it leaves out. */
import { type Coordinates, formatCoordinates, type TreeView } from '../model/index.ts';
import { type Place, placesOf } from '../plan/discover.ts';
import type { Layout } from '../plan/layout.ts';
import type { Coverage } from './coverage.ts';
import { join, type Survey } from './survey.ts';
import { ENVIRONMENT_FOLDERS, isContentFolder, SERVICE_FOLDERS, TENANT_FOLDERS } from './words.ts';

interface Question {
  readonly view: TreeView;
  readonly survey: Survey;
  readonly layout: Layout;
  readonly found: readonly Coordinates[];
  readonly coverage: Coverage;
  /** A folder stands for the only environment. */
  readonly isOnly: boolean;
}

/** One sentence, or null. */
export async function doubtOf(question: Question): Promise<string | null> {
  return (
    leftOut(question) ??
    deeper(question) ??
    (canJoin(question) ? joined(await placesOf(question.view, question.layout)) : null)
  );
}

/** Only a folder that may be any, or a second pattern, gives a service a second place. */
const canJoin = ({ survey, layout: { environment, service } }: Question) =>
  survey.complete &&
  (service.length > 1 || [...environment, ...service].some(({ text }) => text.includes('*/')));

/** More files carry the names of its environments outside of it than inside; or it stands for one of several groups of services. */
function leftOut({ coverage: { covered, uncovered }, isOnly }: Question): string | null {
  const files = (...kinds: string[]) =>
    uncovered.filter(({ kind }) => kinds.includes(kind)).reduce((sum, group) => sum + group.files, 0);
  const named = uncovered.find(({ kind }) => kind === 'environment');
  if (named && named.files > covered)
    return `${named.files} files outside of it are named like its environments (${named.paths.slice(0, 3).join(', ')}), and only ${covered} are in it.`;
  if (isOnly && files('sibling', 'other') * 3 > covered)
    return `${files('sibling', 'other')} files stand beside the only environment that it finds.`;
  return null;
}

/** Services of one environment that are folders of folders: the services stand deeper. */
function deeper({ survey, layout, found }: Question): string | null {
  const environments = new Set(found.map(({ tenant, environment }) => `${tenant ?? ''}/${environment}`));
  if (environments.size !== 1) return null;
  for (const { text } of layout.service) {
    const root = /^([^#]*\{environment\}[^#{]*)\/\{service\}\/\*\*$/.exec(text)?.[1];
    if (root === undefined || text.includes('{tenant}') || root.includes('*')) continue;
    const services = found.flatMap(({ environment, service }) =>
      service === undefined ? [] : [join(root.replace('{environment}', environment), service)],
    );
    const folders = services.flatMap((path) => survey.folders.get(path) ?? []);
    const below = folders.reduce((sum, { entered }) => sum + entered.length, 0);
    if (folders.length > 1 && folders.every(({ files }) => files.length === 0) && below > folders.length)
      return `The tree has more levels than names: ${folders[0]?.path ?? root} holds only folders.`;
  }
  return null;
}

/** A service that stands in two places, as in two regions: one rollback would take both. */
function joined(places: readonly Place[]): string | null {
  const roots = new Map<string, string>();
  for (const { pattern, bindings, root } of places) {
    if (bindings.environment === undefined) continue;
    // An environment has places of many kinds; a service has one under each pattern, or in folders that say what kind.
    if (bindings.service === undefined && !/\*\/.*\{/.test(pattern.text)) continue;
    const name = formatCoordinates({ ...bindings, environment: bindings.environment });
    const key = JSON.stringify([plainPlace(pattern.text), name]);
    const other = roots.get(key);
    if (other !== undefined && other !== root)
      return `The tree has more levels than names: ${other} and ${root} would both be ${name}, and go back together.`;
    roots.set(key, root);
  }
  return null;
}

/** Folders that say nothing of what stands in them may be any. */
const plainPlace = (pattern: string) =>
  pattern
    .split('/')
    .map((part, index, parts) =>
      index === parts.length - 1 || part.includes('{') || part === '**' || isKind(part) ? part : '*',
    )
    .join('/');

const isKind = (name: string) =>
  isContentFolder(name) ||
  [ENVIRONMENT_FOLDERS, SERVICE_FOLDERS, TENANT_FOLDERS].some((words) => words.has(name.toLowerCase()));
