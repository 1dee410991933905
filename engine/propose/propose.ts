/**
 * Proposes a configuration from a tree alone: looks at samples of it, makes candidate patterns, takes what goes together, and
 * lets the layout itself find what they find.
 */
import { type Coordinates, type Finding, type TreeView } from '../model/index.ts';
import { DEFAULT_KEEP, parseConfig } from '../plan/config.ts';
import { discover } from '../plan/discover.ts';
import { compareText, compileLayout, type Layout } from '../plan/layout.ts';
import { type Candidate, findCandidates, isWider } from './candidates.ts';
import { type ReadValues, valueReader } from './content.ts';
import { findFields } from './fields.ts';
import {
  leftOut,
  namesDiffer,
  noServices,
  onlyOne,
  overlapping,
  sampled,
  unclear,
  uncovered,
} from './findings.ts';
import { sample, type Survey, surveyTree } from './survey.ts';
import { type Draft, draftText, templateText } from './text.ts';
import { environmentWord, isNoEnvironment, isNoServiceFile } from './words.ts';

export interface Proposal {
  /** The text of the configuration; a template where the tree says too little. */
  readonly text: string;
  /** Is it a proposal? Else `findings` says LAYOUT_UNCLEAR, and `text` is a template. */
  readonly clear: boolean;
  /** Environments and services that it finds, sorted. */
  readonly found: readonly Coordinates[];
  readonly findings: readonly Finding[];
}

/** Names that may be ignored before a pattern is no good. */
const IGNORED = 60;
/** Tenants that are looked into where there are many. */
const TENANTS = 40;

export async function propose(view: TreeView): Promise<Proposal> {
  const survey = await surveyTree(view);
  const read = valueReader(view);
  const candidates = await findCandidates(survey, read);
  for (const principal of candidates.filter(
    ({ isConvincing, isGenerated }) => isConvincing && !isGenerated,
  )) {
    const chosen = [principal, ...candidates.filter((other) => goesWith(principal, other))];
    const proposal = await verify({ view, read, survey, candidates, chosen });
    if (proposal) return proposal;
  }
  return { text: templateText(), clear: false, found: [], findings: [unclear(candidates)] };
}

/** The same environments elsewhere in the tree: hardly any others, or all of them and some more. */
function goesWith(principal: Candidate, other: Candidate): boolean {
  if (other === principal || other.isGenerated || other.hasTenant !== principal.hasTenant) return false;
  const common = [...other.names].filter((name) => principal.names.has(name)).length;
  return (
    other.axis.evidence >= 0.2 &&
    !isWider(other.axis, principal.axis) &&
    !isWider(principal.axis, other.axis) &&
    (common >= 0.8 * other.names.size ||
      (common === principal.names.size && common >= 0.6 * other.names.size))
  );
}

interface Trial {
  readonly view: TreeView;
  readonly read: ReadValues;
  readonly survey: Survey;
  readonly candidates: readonly Candidate[];
  readonly chosen: readonly Candidate[];
}

/** null where what the patterns find is not what was meant. */
async function verify(trial: Trial): Promise<Proposal | null> {
  const { view, read, survey, chosen } = trial;
  const bare: Draft = {
    environment: unique(chosen.flatMap(({ environment }) => environment ?? [])).slice(0, 40),
    service: unique(chosen.flatMap(({ services }) => services.map(({ pattern }) => pattern))).slice(0, 40),
    ignore: { environment: [], service: [] },
    fields: {},
    keep: keepOf(survey),
  };
  const all = await find(view, layoutOf(bare));
  const ignore = toIgnore(trial, all);
  if (ignore.environment.length + ignore.service.length > IGNORED) return null;
  const draft = { ...bare, ignore };
  const layout = layoutOf(draft);
  const found = await find(view, layout);
  if (!found.some(({ environment }) => chosen[0]?.names.has(environment))) return null;
  const services = found.filter(({ service }) => service !== undefined);
  const fields = await findFields({ view, read, layout, services });
  return {
    text: draftText({ ...draft, fields }),
    clear: true,
    found,
    findings: [
      ...onlyOne(chosen),
      ...(services.length === 0 ? [noServices()] : []),
      ...namesDiffer(chosen, found),
      ...leftOut(trial, ignore),
      ...overlapping(survey, layout, found),
      ...uncovered(survey, layout),
      ...(survey.complete ? [] : [sampled()]),
    ],
  };
}

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
  const isService = (name: string) => {
    const { weight, rest } = environmentWord(name);
    return services.has(name) || !(isNoServiceFile(name) || (weight > 0 && rest === ''));
  };
  return {
    environment: unique(
      all.map(({ environment }) => environment).filter((name) => !environments.has(name) && isOdd(name)),
    ),
    service: unique(all.flatMap(({ service }) => service ?? []).filter((name) => !isService(name))),
  };
}

function keepOf({ folders }: Survey): string[] {
  const all = [...folders.values()];
  const has = (test: RegExp) => all.some(({ files }) => files.some((file) => test.test(file)));
  return [
    ...DEFAULT_KEEP,
    ...(all.some(({ path }) => /(?:^|\/)secrets$/.test(path)) ? ['**/secrets/**'] : []),
    ...(has(/\.enc\.ya?ml$/) ? ['**/*.enc.yaml'] : []),
    ...(has(/\.sops\.ya?ml$/) ? ['**/*.sops.yaml'] : []),
    ...(has(/^secrets\.ya?ml$/) ? ['**/secrets.yaml'] : []),
  ];
}
