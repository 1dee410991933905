import { expect } from 'vitest';
import { isFailure, type RequestView } from '../../../engine/internal.ts';
import { request, type Scene, scene } from '../../helpers/people/scene.ts';
import { createIdentity } from '../../helpers/people/signing.ts';

export const MALLORY = { name: 'Mallory', email: 'mallory@example.com' };
export const mallory = () => createIdentity(MALLORY);

/** A request of Jane's that nobody has approved. */
export async function pending(policy?: string): Promise<Scene & { asked: RequestView }> {
  const stage = await scene(policy === undefined ? {} : { policy });
  return { ...stage, asked: await request(stage.jane) };
}

/** The code with which a worker refuses to execute the request, also when it has looked for work; the branch stays. */
export async function refusal({ repo, worker }: Pick<Scene, 'repo' | 'worker'>, id: string): Promise<string> {
  const before = await repo.git('rev-parse', 'main');
  await codeOf(worker.requests.reconcile());
  const code = await codeOf(worker.requests.executeRequest(id));
  if (typeof code !== 'string') throw new Error(`It was executed: ${JSON.stringify(code)}`);
  // What is asked about again is no work any more.
  const left = await codeOf(worker.requests.reconcile().then(({ waiting }) => waiting));
  expect(code === 'AWAITING_APPROVAL' && left.includes(id)).toBe(false);
  expect(await repo.git('rev-parse', 'main')).toBe(before);
  return code;
}

export async function codeOf<T>(answer: Promise<T>): Promise<T | string> {
  return answer.catch((error: unknown) => {
    if (isFailure(error)) return error.code;
    throw error;
  });
}
