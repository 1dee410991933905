/** Why a layout that finds what was meant may still be wrong: what it joins, and what it leaves out. */
import { type Coordinates, formatCoordinates, type TreeView } from '../../model/index.ts';
import { type PatternMatch, patternMatches } from '../../layout/discover.ts';
import type { Layout } from '../../layout/layout.ts';
import { bindPath, toBindings } from '../../layout/pattern.ts';
import { holdsWorkload, looksDeployed, type ReadValues } from './content.ts';
import { type Coverage, namesEnvironment } from './coverage.ts';
import { stemsByEnding } from './sites.ts';
import { join, sample, some, type Survey } from './survey.ts';
import {
  ENVIRONMENT_FOLDERS,
  environmentWord,
  isContentFolder,
  isRegion,
  SERVICE_FOLDERS,
  TENANT_FOLDERS,
} from './words.ts';

interface Question {
  readonly view: TreeView;
  readonly read: ReadValues;
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
    unnamed(question) ??
    otherEnding(question) ??
    (await holdsServices(question)) ??
    (await ofProgram(question)) ??
    (canJoin(question) ? joined(await patternMatches(question.view, question.layout)) : null)
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

/** Services (or environments without any) that are folders of folders: something stands between that has no name. */
function deeper({ survey, layout, found }: Question): string | null {
  const services = found.filter(({ service }) => service !== undefined);
  const patterns = services.length > 0 ? layout.service : layout.environment;
  for (const pattern of patterns) {
    const paths = (services.length > 0 ? services : found).flatMap((coordinates) => {
      const { kind, prefix } = bindPath(pattern, toBindings(coordinates));
      return kind === 'tree' && pattern.selector === null ? [prefix] : [];
    });
    const folders = [...new Set(paths)].flatMap((path) => survey.folders.get(path) ?? []);
    const below = folders.flatMap(({ entered }) => entered);
    const areBare = folders.length > 1 && folders.every(({ files }) => files.every(isWiring));
    const isStage = (name: string) => environmentWord(name).weight >= 0.5;
    const isDeeper =
      below.length > folders.length &&
      (services.length > 0
        ? endsWithService(pattern.text)
        : below.every(isRegion) || (below.every(isStage) && found.every((one) => isRegion(one.environment))));
    if (areBare && isDeeper)
      return `The tree has more levels than names: ${folders[0]?.path ?? ''} holds only folders.`;
  }
  return null;
}

const endsWithService = (text: string) => /\{environment\}.*\/\{service\}\/\*\*$/.test(text);
const isWiring = (file: string) => /^kustomization\.ya?ml$/.test(file);

async function holdsServices({ read, survey, layout, found }: Question): Promise<string | null> {
  const inside = await servicesInside({ read, survey, layout, found });
  return (
    inside &&
    `Each of ${inside.outer.join(', ')} holds ${inside.inner.join(', ')}, which may be the services.`
  );
}

/** Services found as folders, each of which holds files of the same names, and each of those deploys something of its own. */
export async function servicesInside({
  read,
  survey,
  layout: { service },
  found,
}: Pick<Question, 'read' | 'survey' | 'layout' | 'found'>): Promise<{
  readonly outer: readonly string[];
  readonly inner: readonly string[];
  readonly ending: string;
} | null> {
  const [pattern] = service;
  if (pattern === undefined || pattern.selector !== null || !INSIDE.test(pattern.text)) return null;
  const services = found.filter((one) => one.service !== undefined);
  const outer = [...new Set(services.flatMap((one) => one.service ?? []))];
  if (outer.length < 2) return null;
  const folders = services.flatMap(
    (one) => survey.folders.get(bindPath(pattern, toBindings(one)).prefix) ?? [],
  );
  if (folders.some(({ entered }) => entered.length > 0)) return null;
  for (const [ending, stems] of stemsByEnding(folders[0]?.files ?? [])) {
    const inner = stems.filter((stem) => folders.every(({ files }) => files.includes(`${stem}${ending}`)));
    const deploys = async (stem: string) => {
      const documents = await Promise.all(
        sample(folders, 4).map(({ path }) => read(join(path, `${stem}${ending}`))),
      );
      return documents.every((one) => holdsWorkload(one) || one.some(looksDeployed));
    };
    const deployed: string[] = [];
    for (const stem of inner.slice(0, 10)) if (await deploys(stem)) deployed.push(stem);
    if (deployed.length > 1) return { outer: outer.slice(0, 3), inner: deployed.slice(0, 3), ending };
  }
  return null;
}

const INSIDE = /\{service\}[^/]*\/\*\*$/;

/** What the top of a program's sources holds. */
const PROGRAM =
  /^(?:Gemfile|package\.json|pom\.xml|build\.gradle(?:\.kts)?|go\.mod|Cargo\.toml|requirements\.txt|pyproject\.toml|setup\.py|composer\.json|mix\.exs|.+\.(?:csproj|sln|gemspec))$/;

/** Beside the sources of a program, files that deploy nothing are its own settings. */
async function ofProgram({ view, read, survey, layout }: Question): Promise<string | null> {
  const sign = (await view.list('')).find(({ name }) => PROGRAM.test(name));
  if (sign === undefined) return null;
  const patterns = [...layout.environment, ...layout.service].map((pattern) => bindPath(pattern, {}));
  const paths = [...survey.folders.values()].flatMap(({ path, files }) =>
    files.map((name) => join(path, name)),
  );
  const covered = sample(
    paths.filter((path) => patterns.some((one) => one.match(path) !== null)),
    20,
  );
  const deploys = async (path: string) => {
    if (!/\.(?:ya?ml|json)$/i.test(path)) return true;
    const documents = await read(path);
    return documents.length === 0 || documents.some((one) => isDeployed(one, 0));
  };
  if (await some(covered, deploys)) return null;
  return `${covered[0] ?? 'What it finds'} is beside ${sign.name}, and nothing in it says what is deployed: these seem to be settings of a program.`;
}

function isDeployed(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null || depth > 3) return false;
  if (looksDeployed(value) || (depth === 0 && 'kind' in value)) return true;
  return Object.values(value).some((inner) => isDeployed(inner, depth + 1));
}

/** Places of the same environments that only a name tells apart: it may well be that of a service. */
function unnamed({ layout: { environment, service } }: Question): string | null {
  if (service.length > 0) return null;
  const [first, ...others] = environment.map(({ text }) => text);
  const other = others.find((text) => first !== undefined && plainPlace(text) === plainPlace(first));
  return other === undefined ? null : `${first} and ${other} may be services of the same environments.`;
}

/** `qa.yml` beside `{environment}.yaml`. */
function otherEnding({ survey, layout, found }: Question): string | null {
  const known = new Set(found.map(({ environment }) => environment));
  for (const { text, segments } of [...layout.environment, ...layout.service]) {
    const match = /^((?:[^{}*]+\/)?)([^{}*/]*)\{environment\}\.ya?ml$/.exec(text.replace(/#.*$/s, ''));
    if (!match || segments.length === 0) continue;
    const [, folder = '', before = ''] = match;
    const ending = text.includes('.yaml') ? '.yml' : '.yaml';
    const odd = survey.folders.get(folder.replace(/\/$/, ''))?.files.find((file) => {
      const name = file.slice(before.length, -ending.length);
      return file.startsWith(before) && file.endsWith(ending) && namesEnvironment(name, known);
    });
    if (odd !== undefined) return `${folder}${odd} has another ending than ${text}.`;
  }
  return null;
}

/** A service that stands in two places, as in two regions: one rollback would take both. */
function joined(places: readonly PatternMatch[]): string | null {
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
