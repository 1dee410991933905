/** An engine that is opened as the public does, worked with, and closed. */
import { join } from 'node:path';
import { type EngineOptions, isFailure, openEngine, type PlanAsk } from '../../../engine/index.ts';
import { JANE } from '../../helpers/repositories/engine.ts';
import { type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';

export const GATEWAY = 'acme/production/api-gateway';

export const codeOf = (answer: Promise<unknown>) =>
  answer.then(
    () => 'done',
    (error: unknown) => {
      if (isFailure(error)) return error.code;
      throw error;
    },
  );

/** Opens as the public does, works, and closes. */
export async function using<T>(
  repo: Pick<Repo, 'folder' | 'env'>,
  work: (engine: Awaited<ReturnType<typeof openEngine>>) => Promise<T>,
  options: Partial<EngineOptions> = {},
): Promise<T> {
  const cacheFolder = join(await temporaryFolder(), 'cache');
  const env = { ...repo.env, ...options.env };
  const engine = await openEngine({ repo: repo.folder, cacheFolder, ...options, env });
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

export const planOf = (repo: Repo, ask: PlanAsk, options?: Partial<EngineOptions>) =>
  using(repo, (engine) => engine.rollbacks.plan({ author: JANE, ...ask }), options);
