/**
 * Proposes a configuration from a tree: looks at samples of it, makes candidate patterns, takes what goes together, and lets the
 * layout itself find what they find. Where two layouts are near each other, or none is convincing, it chooses none.
 */
import { BacktrailError, type TreeView } from '../../model/index.ts';
import type { Candidate } from '../candidates/candidate.ts';
import { findCandidates, isOther, isWider } from '../candidates/candidates.ts';
import { valueReader } from '../survey/content.ts';
import { isVersion } from '../survey/words.ts';
import { isHolder } from './doubt.ts';
import { likePatterns } from './like.ts';
import { confirmedBy, type Past, type Walks, walksIn } from './past.ts';
import { surveyTree } from '../survey/survey.ts';
import { templateText } from './text.ts';
import { tryLayout } from './try-layout.ts';
import type { LayoutOption, Look, Proposal, Steering, Tried } from './types.ts';
import { isRival, unclear } from './unclear.ts';

const SHOWN = 3;
/** Layouts that are tried. */
const TRIED = 6;
/** Below this score a layout is not worth showing. */
const LEAST = 0.12;

export async function propose(
  view: TreeView,
  steering: Steering = {},
  past: Past | null = null,
): Promise<Proposal> {
  const survey = await surveyTree(view);
  const read = valueReader(view);
  const look: Look = { view, read, survey };
  const tried = steering.like ? await likeOptions(look, steering) : await findOptions(look, steering);
  const problemOf = (layouts: readonly Tried[], isConfirmed: boolean) =>
    unclear({ survey, tried: layouts, steering, isConfirmed });
  const open = problemOf(tried, false);
  const better = open === null || past === null ? null : await byHistory(past, tried, steering);
  const problem = better === null ? open : problemOf(better, true);
  const options = (problem === null && better ? better : tried).slice(0, SHOWN).map(({ option }) => option);
  const [first] = options;
  if (problem === null && first)
    return { options, chosen: first, text: first.text, found: first.found, findings: first.findings };
  return { options, chosen: null, text: templateText(), found: [], findings: problem ? [problem] : [] };
}

/** Where the tree alone leaves it open: with the layout first that the history confirms; null where it decides nothing. */
async function byHistory(
  past: Past,
  tried: readonly Tried[],
  { shape, environments, like }: Steering,
): Promise<readonly Tried[] | null> {
  const named = new Set<string>();
  const rivals = tried.slice(0, SHOWN).filter(({ option: { doubt, found }, principal }) => {
    const names = JSON.stringify([...new Set(found.map(({ environment }) => environment))].sort());
    const isDated = found.some(
      ({ environment, service }) => isVersion(environment) || isVersion(service ?? ''),
    );
    // Teams that follow each other's changes look like stages.
    if (doubt !== null || isDated || (principal && isOther(principal.axis))) return false;
    return !named.has(names) && named.add(names);
  });
  if (rivals.length === 0 || shape || environments || like) return null;
  const walks: Walks[] = [];
  for (const { option } of rivals) walks.push(await walksIn(past, option.layout));
  const best = rivals[confirmedBy(walks)];
  return best === undefined ? null : [best, ...tried.filter((one) => one !== best)];
}

/** Candidates with all that goes with each, those that the tree bears out; the best first, none twice. */
async function findOptions(look: Look, steering: Steering): Promise<Tried[]> {
  const { survey, read } = look;
  const candidates = await findCandidates(survey, read, steering);
  const principals = candidates.filter(
    ({ isGenerated, score, isConvincing }) => !isGenerated && (isConvincing || score > LEAST),
  );
  const tried: Tried[] = [];
  const others: Tried[] = [];
  const used = new Set<Candidate>();
  const isSteered = steering.shape !== undefined || steering.environments !== undefined;
  let left = isSteered ? 3 * TRIED : TRIED;
  for (const principal of principals) {
    if ((tried.length >= SHOWN && !steering.environments) || left <= 0) break;
    if (used.has(principal) || !isWorth(principal, tried, steering)) continue;
    left -= 1;
    const chosen = [principal, ...candidates.filter((other) => goesWith(principal, other))];
    const option = await tryLayout({ ...look, candidates, chosen });
    if (option === null || tried.some((other) => isSame(other.option, option))) continue;
    if (!steering.shape || option.shape === steering.shape) for (const one of chosen) used.add(one);
    const variant = option.doubt === null ? null : await apart(look, option);
    for (const one of [option, ...(variant ? [variant] : [])])
      (steering.shape && one.shape !== steering.shape ? others : tried).push({ option: one, principal });
  }
  // Where the names are given, the layout that finds most of what carries them is the one.
  if (steering.environments) tried.sort((a, b) => coveredBy(b) - coveredBy(a));
  return [...tried, ...others];
}

const coveredBy = ({ option }: Tried) => (option.doubt === null ? option.coverage.covered : -1);

/** Beside a first that nothing speaks against, only what might be a rival. */
function isWorth(
  candidate: Candidate,
  [first]: readonly Tried[],
  { shape, environments }: Steering,
): boolean {
  if (shape || environments || first?.principal?.isConvincing !== true || first.option.doubt !== null)
    return true;
  return isRival(first.principal, candidate);
}

/** The same with the folder that joins places as a tenant, so that each goes back alone; null where that is taken. */
async function apart(look: Look, { layout, found }: LayoutOption): Promise<LayoutOption | null> {
  const deeper = await oneDeeper(look, { layout, found });
  if (deeper) return deeper;
  const service = layout.service
    .map(({ text }) => text)
    .filter((text) => text.split('*/').length === 2)
    .map((text) => text.replace('*/', '{tenant}/'));
  if (layout.hasTenant || service.length === 0) return null;
  const outer = service.map((text) => text.split('/')).filter((parts) => !parts.at(-1)?.includes('#'));
  const environment = outer.flatMap((parts) => {
    const last = parts.findLastIndex((part) => /\{(?:tenant|environment)\}/.test(part));
    return parts.slice(0, last + 1).some((part) => part.includes('{service}'))
      ? []
      : [[...parts.slice(0, last + 1), '**'].join('/')];
  });
  const environments = new Set(found.map((one) => one.environment));
  const patterns = { environment, service };
  return tryLayout({ ...look, candidates: [], chosen: [], patterns, environments });
}

/** The same with the folders that were taken for services as tenants, and what they hold as the services. */
async function oneDeeper(
  look: Look,
  { layout, found }: Pick<LayoutOption, 'layout' | 'found'>,
): Promise<LayoutOption | null> {
  const [text, ...others] = layout.service.map((pattern) => pattern.text);
  if (text === undefined || others.length > 0 || !isHolder(text)) return null;
  const environment = text.replace('{service}', '{tenant}');
  const folder = environment.slice(0, -'/**'.length);
  const environments = new Set(found.map((one) => one.environment));
  for (const below of ['{service}.yaml', '{service}.yml', '{service}/**']) {
    const patterns = { environment: [environment], service: [`${folder}/${below}`] };
    const option = await tryLayout({ ...look, candidates: [], chosen: [], patterns, environments });
    if (option?.found.some(({ service }) => service !== undefined)) return option;
  }
  return null;
}

const isSame = (one: LayoutOption, other: LayoutOption) =>
  JSON.stringify(one.found) === JSON.stringify(other.found);

/** The same environments elsewhere in the tree: hardly any others, or all of them and some more. */
function goesWith(principal: Candidate, other: Candidate): boolean {
  if (other === principal || other.isGenerated || other.hasTenant !== principal.hasTenant) return false;
  const common = [...other.names].filter((name) => principal.names.has(name)).length;
  return (
    other.axis.evidence >= 0.2 &&
    !isWider(other.axis, principal.axis) &&
    !isWider(principal.axis, other.axis) &&
    (common >= (isOpen(other) ? 1 : 0.8) * other.names.size ||
      (common === principal.names.size && common >= 0.6 * other.names.size && !isOpen(other)))
  );
}

/** A folder that may be any brings names that mean something else. */
const isOpen = ({ axis: { prefix } }: Candidate) => prefix[0] === '*';

/** What the examples say, and nothing else. LAYOUT_UNCLEAR, INVALID_REQUEST. */
async function likeOptions(look: Look, { like = [], environments }: Steering): Promise<Tried[]> {
  const patterns = [];
  for (const one of like) patterns.push(await likePatterns(look.view, one));
  const option = await tryLayout({
    ...look,
    candidates: [],
    chosen: [],
    patterns: {
      environment: patterns.flatMap(({ environment }) => environment ?? []),
      service: patterns.flatMap(({ service }) => service ?? []),
    },
    ...(environments && { environments: new Set(environments) }),
  });
  if (option === null)
    throw new BacktrailError('LAYOUT_UNCLEAR', 'The examples give patterns that find nothing in the tree.');
  return [{ option, principal: null }];
}
