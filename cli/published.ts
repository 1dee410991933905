import type { Engine, RollbackRequest, RollbackResult } from '../engine/index.ts';

/** The result of a request that the branch holds already; null where it does not. Executes nothing. */
export async function publishedResult(
  engine: Engine,
  request: RollbackRequest,
): Promise<RollbackResult | null> {
  // A request that is on the branch is only reported by `execute`, with what its attempt left behind cleared away.
  return (await engine.findRequest(request.id)) === null ? null : engine.execute(request);
}
