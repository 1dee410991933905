/** Manifests rendered again, from the tree that a rollback left, with the renderers that are here. */
import { type FileChange, isFailure } from '../../model/index.ts';
import { renderDelivery } from '../../render/planned/render.ts';
import type { Audit } from '../audit.ts';
import { comparePaths } from './compare.ts';
import { type Problem, problem } from '../problems.ts';
import type { Made } from './rollback.ts';

interface Delivered {
  /** Of the commit of the manifests. */
  readonly changes: readonly Pick<FileChange, 'path' | 'after'>[];
  /** Names and versions, as its trailer has them; null: there is no such commit. */
  readonly renderer: string | null;
}

/** Nothing where the audit does not render. */
export async function judgeRendered(
  { renders, programs }: Audit,
  { snapshot, request, plan }: Made,
  { changes, renderer }: Delivered,
): Promise<Problem[]> {
  if (!renders || snapshot.layout.config.delivery === null || plan.resumes) return [];
  const { scope, target } = request;
  try {
    const { outputs, renderers } = await renderDelivery(
      snapshot,
      {
        scope,
        files: plan.files,
        target: { commit: target, version: null },
        impact: { services: await plan.services() },
      },
      programs,
    );
    const here = renderers.join(', ') || 'none';
    if (renderer !== null && renderer !== here && renderers.length > 0)
      return [problem('RENDERER_MISSING', `Its manifests were rendered by ${renderer}: here is ${here}.`)];
    return comparePaths(changes, outputs).map(({ code, message }) =>
      problem(
        code === 'PATH_MISSING' ? 'DELIVERY_MISSING' : 'DELIVERY_DIFFERS',
        `Rendered again, its manifests are others. ${message}`,
      ),
    );
  } catch (error) {
    if (!isFailure(error)) throw error;
    return [problem('RENDERER_MISSING', `Its manifests cannot be rendered again here: ${error.message}`)];
  }
}
