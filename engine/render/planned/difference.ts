/** What the same services render to at the base and at the target: findings for people, never a reason to stop. */
import {
  type Coordinates,
  type Finding,
  formatCoordinates,
  isFailure,
  type Plan,
  quotePath,
  type TreeView,
} from '../../model/index.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { isFile } from '../../snapshot/view.ts';
import { differenceOfSeen, type Rendered, type Seen, type ServiceUnit } from '../index.ts';

/** One tree, and how to render a service (of a layout without services: an environment) of it. */
export interface Side {
  readonly view: TreeView;
  render(coordinates: Coordinates): Promise<Rendered | null>;
}

export interface Sides {
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  readonly planned: TreeView;
  readonly base: Side;
  readonly target: Side;
}

export async function findingsOf(sides: Sides, made: readonly Made[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const one of made) findings.push(...(await drift(sides, one)), ...(await differs(sides, one)));
  return findings;
}

/** DELIVERY_DRIFT: the output is not what its own sources render to. */
async function drift({ snapshot, planned, base }: Sides, { unit, seen, rendered }: Made): Promise<Finding[]> {
  const { output: path } = unit;
  const found = await base.view.entry(path);
  if (found === null || !isFile(found.mode)) return [];
  const { same } = await differenceOfSeen(seen, planned, base.view);
  const expected = same ? rendered : await attempt(() => base.render(unit));
  if (!expected || snapshot.hasher.blobId(new TextEncoder().encode(expected.content)) === found.id) return [];
  return [
    {
      code: 'DELIVERY_DRIFT',
      severity: 'warn',
      message: `${quotePath(path)} is not what its sources on the branch render to: somebody edited it, or another renderer wrote it.`,
      hint: 'This rollback writes it anew. What was edited by hand belongs into the sources.',
      path,
    },
  ];
}

/** RENDER_DIFFERS: not what the target itself rendered to, because of files that this rollback leaves as they are. */
async function differs(sides: Sides, { unit, seen, rendered }: Made): Promise<Finding[]> {
  const { plan, planned, target } = sides;
  if (rendered === null) return [];
  const { same, paths } = await differenceOfSeen(seen, planned, target.view);
  // A file of which only chosen fields are restored differs because somebody chose so.
  const chosen = new Set(plan.scope.mode === 'field' ? plan.files.map((file) => file.path) : []);
  const others = paths.filter((path) => !chosen.has(path));
  if (same || others.length === 0) return [];
  const then = await attempt(() => target.render(unit));
  if (!then || then.content === rendered.content) return [];
  const [first = ''] = others;
  const rest = others.length - SHOWN;
  const named = others.slice(0, SHOWN).map(quotePath).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
  return [
    {
      code: 'RENDER_DIFFERS',
      severity: 'warn',
      message: `The manifests of ${formatCoordinates(unit)} will not be those of ${targetName(plan)}, because this rollback leaves as it is: ${named}.`,
      hint: 'Where the old manifests are wanted whole, choose a wider scope, or change these files too.',
      path: first,
    },
  ];
}

const SHOWN = 3;

const targetName = ({ target }: Plan) =>
  (target.version === null ? '' : `v${target.version} `) + target.commit.slice(0, 10);

/** null where that tree cannot be rendered, which says nothing about the planned one. */
async function attempt(render: () => Promise<Rendered | null>): Promise<Rendered | null> {
  try {
    return await render();
  } catch (error) {
    if (isFailure(error) && PASSING.has(error.code)) return null;
    throw error;
  }
}

const PASSING: ReadonlySet<string> = new Set(['RENDER_FAILED', 'FILE_TOO_LARGE', 'OBJECT_MISSING']);

/** A service (of a layout without services: the environment), rendered from the planned tree. */
export interface Made {
  readonly unit: ServiceUnit;
  readonly rendered: Rendered | null;
  readonly seen: Seen;
}
