/** Why a layout that finds what was meant may still be wrong: what it joins, and what it leaves out. */
import { type Coordinates, formatCoordinates, type TreeView } from '../../model/index.ts';
import { type PatternMatch, patternMatches } from '../../layout/discover.ts';
import type { Layout } from '../../layout/layout.ts';
import { bindPath, toBindings } from '../../layout/pattern.ts';
import { type Coverage, namesEnvironment, stemOf } from './coverage.ts';
import { at, holdsWorkload, looksDeployed, type ReadValues } from '../survey/content.ts';
import { sample, type Survey } from '../survey/survey.ts';
import {
  ENVIRONMENT_FOLDERS,
  environmentWord,
  isContentFolder,
  isNoServiceFile,
  isRegion,
  SERVICE_FOLDERS,
  TENANT_FOLDERS,
} from '../survey/words.ts';

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
    ofProgram(question) ??
    leftOut(question) ??
    deeper(question) ??
    unnamed(question) ??
    otherEnding(question) ??
    (await holders(question)) ??
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

/** A program's own `config/production.yml`, beside its `Gemfile`: nothing that a rollback of deployments is for. */
function ofProgram({ survey, layout: { environment, service } }: Question): string | null {
  const texts = [...environment, ...service].map(({ text }) => text);
  const roots = texts.map((text) => {
    const names = text.split('/').slice(0, -1);
    return names.slice(
      0,
      names.findIndex((name) => /^(?:config|settings|conf)$/i.test(name)),
    );
  });
  if (texts.some((text) => !/(?:^|\/)(?:config|settings|conf)\//i.test(text))) return null;
  const isRoot = (path: string) =>
    roots.some((root) => {
      const names = path === '' ? [] : path.split('/');
      return (
        root.length === names.length && root.every((name, at) => /[{*]/.test(name) || name === names[at])
      );
    });
  const [text = ''] = texts;
  const program = [...survey.folders.values()].find(
    (one) => one.program !== null && isRoot(one.path),
  )?.program;
  return program
    ? `${text} is the configuration of an application whose source code is here (${program}), not of what is deployed.`
    : null;
}

/**
 * Services that are folders of several workloads, files of the same names in each (`prod/acme/{api,web}.yaml`): the folders may be
 * tenants or namespaces as well, and the files the services.
 */
async function holders({ read, survey, layout, found }: Question): Promise<string | null> {
  const named = found.filter(({ service }) => service !== undefined);
  for (const pattern of layout.service.filter(({ text }) => isHolder(text))) {
    const paths = named.map((coordinates) => bindPath(pattern, toBindings(coordinates)).prefix);
    const held = sample([...new Set(paths)], 8).flatMap((path) => survey.folders.get(path) ?? []);
    const counts = new Map<string, number>();
    for (const { path, files } of held) {
      const stems = sample(files, 12).filter((file) => !isPart(stemOf(file)));
      const workloads: string[] = [];
      for (const file of stems) if (runs(await read(`${path}/${file}`))) workloads.push(stemOf(file));
      if (workloads.length > 1) for (const stem of workloads) counts.set(stem, (counts.get(stem) ?? 0) + 1);
    }
    const again = [...counts].filter(([, count]) => count * 2 > held.length).map(([stem]) => stem);
    if (held.length > 1 && again.length > 1)
      return `${held[0]?.path ?? ''} and its like hold ${again.slice(0, 3).join(', ')}, which may be the services.`;
  }
  return null;
}

/** A workload, or values that say what is deployed. */
const runs = (documents: readonly unknown[]) =>
  holdsWorkload(documents) ||
  documents.some((document) => at(document, 'kind') === undefined && looksDeployed(document));

/** A place of services that could be read one level deeper. */
export const isHolder = (text: string) => /^(?!.*\{tenant\}).*\{service\}[^/#]*\/\*\*$/.test(text);

/** `deployment`, `api-service`: named after what kind of object it is. */
const isPart = (stem: string) => isNoServiceFile(stem) || PARTS.test(stem);

const PARTS =
  /(?:^|[-_.])(?:deploy(?:ment)?|statefulset|daemonset|cron-?job|job|rollout|svc|service|release|helmrelease|canary|pod|application|hr|app|values|config|secrets?|images?|tags?|versions?|settings|overrides?|patch|env)(?:$|[-_.])/i;

const endsWithService = (text: string) => /\{environment\}.*\/\{service\}\/\*\*$/.test(text);
const isWiring = (file: string) => /^kustomization\.ya?ml$/.test(file);

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
