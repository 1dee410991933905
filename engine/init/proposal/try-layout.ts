/** One layout, tried: what it finds in the tree, what it takes for none, and what it leaves uncovered. */
import type { Coordinates, TreeView } from '../../model/index.ts';
import { DEFAULT_KEEP, parseConfig } from '../../layout/configuration/parse.ts';
import { discover } from '../../layout/discover.ts';
import { compareText, compileLayout, type Layout } from '../../layout/layout.ts';
import { bindPath } from '../../layout/pattern.ts';
import { isGenerated } from '../survey/axes.ts';
import type { Candidate } from '../candidates/candidate.ts';
import { at, type ReadValues } from '../survey/content.ts';
import { coverageOf } from './coverage.ts';
import { doubtOf } from './doubt.ts';
import { findFields } from './fields.ts';
import { leftOut, namesDiffer, noServices, onlyOne, overlapping, sampled, uncovered } from './findings.ts';
import type { LayoutOption } from './types.ts';
import { filesBelow } from '../candidates/services.ts';
import { shapeOf } from './shapes.ts';
import { sample, type Survey } from '../survey/survey.ts';
import { type Draft, draftText } from './text.ts';
import { environmentWord, isNoEnvironment, isNoServiceFile, isSharedName } from '../survey/words.ts';

/** Names that may be ignored before a pattern is no good. */
const IGNORED = 60;
/** Tenants that are looked into where there are many. */
const TENANTS = 40;

export interface Trial {
  readonly view: TreeView;
  readonly read: ReadValues;
  readonly survey: Survey;
  readonly candidates: readonly Candidate[];
  readonly chosen: readonly Candidate[];
  /** Patterns that someone gave, instead of those of `chosen`. */
  readonly patterns?: { readonly environment: readonly string[]; readonly service: readonly string[] };
  /** Where patterns are given: the names that are environments. */
  readonly environments?: ReadonlySet<string>;
}

/** null where what the patterns find is not what was meant. */
export async function tryLayout(trial: Trial): Promise<LayoutOption | null> {
  const { view, read, survey, chosen } = trial;
  const patterns = trial.patterns ?? {
    environment: chosen.flatMap(({ environment }) => environment ?? []),
    service: chosen.flatMap(({ services }) => services.map(({ pattern }) => pattern)),
  };
  const bare: Draft = {
    environment: unique(patterns.environment).slice(0, 40),
    service: unique(patterns.service).slice(0, 40),
    shape: 'environment-folder',
    uncovered: [],
    bindings: [],
    output: null,
    ignore: { environment: [], service: [] },
    fields: {},
    keep: keepOf(survey),
  };
  const all = await find(view, layoutOf(bare));
  const ignore = trial.patterns ? ignoreGiven(trial, all) : toIgnore(trial, all);
  if (ignore.environment.length + ignore.service.length > IGNORED) return null;
  const draft = { ...bare, ignore };
  const layout = layoutOf(draft);
  const found = await find(view, layout);
  const isMeant = ({ environment }: Coordinates) =>
    trial.patterns !== undefined || chosen[0]?.names.has(environment) === true;
  if (!found.some(isMeant)) return null;
  const services = found.filter(({ service }) => service !== undefined);
  const shape = shapeOf({
    patterns: [...ownPatterns(chosen[0]), ...bare.environment, ...bare.service],
    hasHelmfile: [...survey.folders.values()].some(({ files }) =>
      files.some((file) => /^helmfile.*\.ya?ml/.test(file)),
    ),
    kinds: await kindsIn(trial),
  });
  const coverage = coverageOf(survey, layout, found);
  const fields = await findFields({ view, read, layout, services });
  return {
    shape,
    text: draftText({
      ...draft,
      shape,
      uncovered: coverage.uncovered,
      bindings: bindingsOf(survey, layout),
      output: outputOf(survey, services),
      fields,
    }),
    layout,
    found,
    coverage,
    findings: [
      ...onlyOne(chosen),
      ...(services.length === 0 ? [noServices()] : []),
      ...namesDiffer(chosen, found),
      ...leftOut(trial, ignore),
      ...overlapping(survey, layout, found),
      ...uncovered(coverage),
      ...(survey.complete ? [] : [sampled()]),
    ],
    doubt: await doubtOf({
      view,
      read,
      survey,
      layout,
      found,
      coverage,
      isOnly: chosen.some(({ isOnly }) => isOnly),
    }),
  };
}

const ownPatterns = (principal: Candidate | undefined) =>
  principal ? [principal.environment ?? principal.services[0]?.pattern ?? ''] : [];

/** Exactly as it will be read. */
const layoutOf = (draft: Draft): Layout => compileLayout(parseConfig(draftText(draft), 'proposal'));

const unique = (values: readonly string[]) => [...new Set(values)];

/** All there is; of many tenants, some. */
async function find(view: TreeView, layout: Layout): Promise<Coordinates[]> {
  if (!layout.hasTenant) return discover(view, layout);
  const folder = layout.environment
    .concat(layout.service)
    .map(({ text }) => text.split('/{tenant}/')[0] ?? '');
  const [common = ''] = folder;
  if (common.includes('{') || folder.some((other) => other !== common)) return discover(view, layout);
  const tenants = (await view.list(common)).map(({ name }) => name);
  if (tenants.length <= TENANTS) return discover(view, layout);
  const found = await Promise.all(
    sample(tenants, TENANTS).map((tenant) => discover(view, layout, { tenant })),
  );
  return found.flat().sort((a, b) => compareText(JSON.stringify(a), JSON.stringify(b)));
}

/** What the patterns find besides what was meant. In a sampled tree, a name that was not seen is no stranger. */
function toIgnore({ chosen, survey }: Trial, all: readonly Coordinates[]): Draft['ignore'] {
  const environments = new Set(chosen.flatMap(({ names }) => [...names]));
  const services = new Set(chosen.flatMap(({ serviceNames }) => [...serviceNames]));
  const isOdd = (name: string) => isNoEnvironment(name) || survey.complete;
  return {
    environment: unique(
      all.map(({ environment }) => environment).filter((name) => !environments.has(name) && isOdd(name)),
    ),
    service: unique(
      all.flatMap(({ service }) => service ?? []).filter((name) => !services.has(name) && isOddService(name)),
    ),
  };
}

/** Of given patterns, everything counts but what is surely none. */
function ignoreGiven({ environments }: Trial, all: readonly Coordinates[]): Draft['ignore'] {
  return {
    environment: unique(all.map(({ environment }) => environment)).filter((name) =>
      environments ? !environments.has(name) : isSharedName(name) && !name.startsWith('default'),
    ),
    service: unique(all.flatMap(({ service }) => service ?? [])).filter(isOddService),
  };
}

function isOddService(name: string): boolean {
  const { weight, rest } = environmentWord(name);
  return isNoServiceFile(name) || (weight > 0 && rest === '');
}

/** Of Argo CD's and Flux's kinds, those that sampled files of the environments hold. */
async function kindsIn({ read, survey, chosen }: Trial): Promise<ReadonlySet<string>> {
  const kinds = new Set<string>();
  const [principal] = chosen;
  for (const { folder, names, form } of sample(principal?.axis.places ?? [], 4))
    for (const name of sample(names, 2)) {
      if (form.file) continue;
      const place = folder === '' ? name : `${folder}/${name}`;
      if (survey.folders.get(place)?.entered.includes('flux-system') === true) kinds.add('Flux');
      for (const file of sample(filesBelow(survey, place), 6))
        for (const document of await read(file)) {
          const group = String(at(document, 'apiVersion'));
          if (group.startsWith('argoproj.io/')) kinds.add(String(at(document, 'kind')));
          if (group.includes('.toolkit.fluxcd.io/') && at(document, 'kind') === 'Kustomization')
            kinds.add('Flux');
        }
    }
  return kinds;
}

/** Where the default is enough, none; a list of one's own takes the place of it. */
function keepOf({ folders }: Survey): string[] {
  const all = [...folders.values()];
  const has = (test: RegExp) => all.some(({ files }) => files.some((file) => test.test(file)));
  const own = [
    ...(all.some(({ path }) => /(?:^|\/)secrets$/.test(path)) ? ['**/secrets/**'] : []),
    ...(has(/\.enc\.ya?ml$/) ? ['**/*.enc.yaml'] : []),
    ...(has(/\.sops\.ya?ml$/) ? ['**/*.sops.yaml'] : []),
    ...(has(/^secrets\.ya?ml$/) ? ['**/secrets.yaml'] : []),
  ];
  return own.length === 0 ? [] : [...DEFAULT_KEEP, ...own];
}

/** Folders of that name in environments: what a plan names when they change. */
function bindingsOf({ folders }: Survey, layout: Layout): string[] {
  const selections = [...layout.environment, ...layout.service].map((pattern) => bindPath(pattern, {}));
  const has = [...folders.values()].some(
    ({ path, files }) =>
      /(?:^|\/)bindings$/.test(path) &&
      files.length > 0 &&
      selections.some((selection) => selection.match(`${path}/x`) !== null),
  );
  return has ? ['**/bindings/**'] : [];
}

/** `rendered/{environment}/{service}.yaml`: a file for each service below a folder of what is generated; null where there is none. */
function outputOf({ folders }: Survey, services: readonly Coordinates[]): string | null {
  const [first] = services;
  if (first?.service === undefined) return null;
  const { tenant, environment, service } = first;
  for (const root of folders.get('')?.entered ?? []) {
    if (!isGenerated(root)) continue;
    for (const ending of ['.yaml', '.yml', '.json']) {
      const place = [root, ...(tenant === undefined ? [] : [tenant]), environment].join('/');
      if (folders.get(place)?.files.includes(`${service}${ending}`) === true)
        return [
          root,
          ...(tenant === undefined ? [] : ['{tenant}']),
          '{environment}',
          `{service}${ending}`,
        ].join('/');
    }
  }
  return null;
}
