/** Why no layout is proposed, in one sentence each. */
import { type Finding, quotePath } from '../../model/index.ts';
import type { Candidate } from '../candidates/candidate.ts';
import type { Steering, Tried } from './types.ts';
import { join, type Survey } from '../survey/survey.ts';

/** Of two layouts whose scores are this near, neither is clearly right. */
const NEAR = 0.6;

interface Question {
  readonly survey: Survey;
  readonly tried: readonly Tried[];
  readonly steering: Steering;
  /** Does the history say that the first one is right? */
  readonly isConfirmed: boolean;
}

/** null: the first layout is the right one. */
export function unclear(question: Question): Finding | null {
  const message = reasonOf(question);
  return message === null ? null : { code: 'LAYOUT_UNCLEAR', severity: 'block', message };
}

function reasonOf({ survey, tried, steering, isConfirmed }: Question): string | null {
  const [first, ...others] = tried;
  if (!first) return nothing(survey, steering);
  const { option, principal } = first;
  const { environments, shape, like, branches = [] } = steering;
  const missing = (environments ?? []).filter((name) =>
    option.found.every(({ environment }) => environment !== name),
  );
  if (missing.length > 0) return `No layout finds ${missing.join(', ')}; the nearest is ${textOf(first)}.`;
  if (like) return null;
  if (shape && option.shape !== shape)
    return `Nothing in the tree has the shape ${shape}; the nearest layout is ${textOf(first)}, ${option.shape}.`;
  if (shape) return null;
  if (environments) return option.doubt;
  if (isConfirmed && branches.length <= 1) return option.doubt;
  if (principal?.isConvincing !== true)
    return branches.length > 1
      ? branchesMeant(branches)
      : `Nothing in the tree is clearly an environment; the nearest is ${textOf(first)}.`;
  if (principal.isOnly && branches.length > 1) return branchesMeant(branches);
  if (option.doubt !== null) return option.doubt;
  const rival = others.find((other) => other.principal && isRival(principal, other.principal));
  return rival ? `Two layouts are about as likely: ${textOf(first)} and ${textOf(rival)}.` : null;
}

const branchesMeant = (branches: readonly string[]) =>
  `The environments seem to be branches (${branches.join(', ')}), and one configuration reads one branch.`;

const textOf = ({ option: { layout } }: Tried) =>
  (layout.environment[0] ?? layout.service[0])?.text ?? 'none';

/** Other environments, with about as much that speaks for them, and at least half as many files. */
export function isRival(one: Candidate, other: Candidate): boolean {
  const common = [...other.names].filter((name) => one.names.has(name)).length;
  return (
    other.isConvincing &&
    other.score >= NEAR * one.score &&
    other.axis.evidence >= NEAR * one.axis.evidence &&
    other.axis.files * 2 >= one.axis.files &&
    common * 2 <= Math.min(one.names.size, other.names.size)
  );
}

function nothing(survey: Survey, { shape, environments, branches = [] }: Steering): string {
  const { files, folders, pointers } = survey;
  if (branches.length > 1) return branchesMeant(branches);
  if (environments) return `Nothing in the tree is called ${environments.join(' or ')}.`;
  if (shape) return `Nothing in the tree has the shape ${shape}.`;
  if (files === 0 && pointers > 0)
    return 'The tree holds submodules or links, and what they lead to is not looked at: run it in the repository that holds the files.';
  if (files === 0) return 'The tree holds no file that describes a deployment: no YAML, JSON or the like.';
  const charts = [...folders.values()].filter(({ files: names }) => names.includes('Chart.yaml'));
  const places = charts.map(({ path }) => path);
  const isInChart = (path: string) =>
    places.some((place) => place === '' || path === place || path.startsWith(`${place}/`));
  if (
    charts.length > 0 &&
    [...folders.values()].every(({ path, files: names }) => names.length === 0 || isInChart(path))
  )
    return 'The tree holds charts alone, and nothing that says where they are deployed.';
  const deploy = [...folders.values()].find(({ path }) =>
    /(?:^|\/)(?:deploy|deployment|deployments|k8s|kubernetes|manifests)$/i.test(path),
  );
  const code = [...folders.values()].find(({ program }) => program !== null);
  if (!deploy && code?.program)
    return `The tree is the source code of an application (${quotePath(join(code.path, code.program))}), and nothing in it says where that is deployed.`;
  if (deploy)
    return `The folder ${quotePath(deploy.path)} describes one deployment, and nothing in it names an environment.`;
  return 'No folder or file of the tree looks like an environment.';
}
