/** Compares the rendered services with the base and the target. Gives findings only; never blocks. */
import {
  type Coordinates,
  type FileChange,
  type Finding,
  formatCoordinates,
  isFailure,
  type Plan,
  quotePath,
  type TreeView,
} from '../../model/index.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { isFile } from '../../snapshot/view.ts';
import { differenceOfInputs, type Rendered, type RenderInputs, type ServiceUnit } from '../index.ts';

/** One tree, and a function that renders a service of it (or an environment, in a layout without services). */
export interface RenderedTree {
  readonly view: TreeView;
  render(coordinates: Coordinates): Promise<Rendered | null>;
}

/** What rendering needs of a plan. */
export interface RenderedPlan extends Pick<Plan, 'scope' | 'files' | 'target'> {
  readonly impact: Pick<Plan['impact'], 'services'>;
}

export interface ComparedTrees {
  readonly snapshot: Snapshot;
  readonly plan: RenderedPlan;
  readonly planned: TreeView;
  readonly base: RenderedTree;
  readonly target: RenderedTree;
}

export async function findingsOf(sides: ComparedTrees, made: readonly RenderedService[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const one of made)
    findings.push(...(await driftFindings(sides, one)), ...(await targetFindings(sides, one)));
  return findings;
}

/**
 * DELIVERY_DRIFT: the output on the branch differs from a rendering of its sources. NOT_RENDERED: nothing is rendered from the sources,
 * and somebody else's file is there.
 */
async function driftFindings(
  { snapshot, planned, base }: ComparedTrees,
  { unit, inputs: seen, rendered, change }: RenderedService,
): Promise<Finding[]> {
  const { output: path } = unit;
  const found = await base.view.entry(path);
  if (found === null || !isFile(found.mode)) return [];
  if (rendered === null) return change === null ? [notRendered(unit)] : [];
  const { same } = await differenceOfInputs(seen, planned, base.view);
  const expected = same ? rendered : await tryRender(() => base.render(unit));
  if (!expected || snapshot.hasher.blobId(new TextEncoder().encode(expected.content)) === found.id) return [];
  return [
    {
      code: 'DELIVERY_DRIFT',
      severity: 'warn',
      message: `${quotePath(path)} differs from a rendering of its sources on the branch: it was edited by hand, or another renderer wrote it.`,
      hint: 'This rollback overwrites it. Make manual changes in the sources instead.',
      path,
    },
  ];
}

const notRendered = (unit: ServiceUnit): Finding => ({
  code: 'NOT_RENDERED',
  severity: 'warn',
  message: `${quotePath(unit.output)} stays as it is: no manifests are rendered from the files of ${formatCoordinates(unit)}.`,
  hint: 'Let `delivery.command` render it, or see to it that whoever writes that file does so after this rollback.',
  path: unit.output,
});

/** RENDER_DIFFERS: the output differs from a rendering of the target, because of inputs that this rollback does not change. */
async function targetFindings(
  sides: ComparedTrees,
  { unit, inputs: seen, rendered }: RenderedService,
): Promise<Finding[]> {
  const { plan, planned, target } = sides;
  if (rendered === null) return [];
  const { same, paths } = await differenceOfInputs(seen, planned, target.view);
  // With selected fields, differences in the rest of the same file are intended.
  const chosen = new Set(plan.scope.mode === 'field' ? plan.files.map((file) => file.path) : []);
  const others = paths.filter((path) => !chosen.has(path));
  if (same || others.length === 0) return [];
  const then = await tryRender(() => target.render(unit));
  if (!then || then.content === rendered.content) return [];
  const [first = ''] = others;
  const rest = others.length - MAX_NAMED;
  const named = others.slice(0, MAX_NAMED).map(quotePath).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
  return [
    {
      code: 'RENDER_DIFFERS',
      severity: 'warn',
      message: `The manifests of ${formatCoordinates(unit)} will not be those of ${targetName(plan)}, because this rollback does not change: ${named}.`,
      hint: 'To restore the old manifests completely, choose a wider scope, or change these files too.',
      path: first,
    },
  ];
}

const MAX_NAMED = 3;

const targetName = ({ target }: Pick<Plan, 'target'>) =>
  (target.version === null ? '' : `v${target.version} `) + target.commit.slice(0, 10);

/** null if that tree cannot be rendered, which says nothing about the planned one. */
async function tryRender(render: () => Promise<Rendered | null>): Promise<Rendered | null> {
  try {
    return await render();
  } catch (error) {
    if (isFailure(error) && IGNORED_CODES.has(error.code)) return null;
    throw error;
  }
}

const IGNORED_CODES: ReadonlySet<string> = new Set(['RENDER_FAILED', 'FILE_TOO_LARGE', 'OBJECT_MISSING']);

/** A service (or an environment, in a layout without services), rendered from the planned tree. */
export interface RenderedService {
  readonly unit: ServiceUnit;
  readonly rendered: Rendered | null;
  /** Of its output; null: it stays. */
  readonly change: FileChange | null;
  readonly inputs: RenderInputs;
}
