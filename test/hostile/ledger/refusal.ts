import { expect } from 'vitest';
import { type Engine, isFailure, type RequestView } from '../../../engine/internal.ts';
import { type Actor, request, type Scene, scene } from '../../helpers/people/scene.ts';
import { createIdentity } from '../../helpers/people/signing.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { copyRepo } from '../../helpers/repositories/repo.ts';
import { closeAfterFile } from '../../helpers/run/lifetime.ts';

export const MALLORY = { name: 'Mallory', email: 'mallory@example.com' };
export const mallory = () => createIdentity(MALLORY);

type Someone = Pick<Actor, 'person' | 'identity'>;

export interface Pending extends Pick<Scene, 'repo' | 'worker' | 'open'> {
  /** A request of Jane's that nobody has approved. */
  readonly asked: RequestView;
  readonly jane: Someone;
  readonly bob: Someone;
  readonly carol: Someone;
  /** With an engine of theirs, which is opened once. */
  as(somebody: Someone): Promise<Actor>;
}

const asked = new Map<string, Promise<Scene & { readonly asked: RequestView }>>();

/** A copy of a repository in which that was asked for once a file. */
export async function pending(policy = ''): Promise<Pending> {
  if (asked.size === 0) closeAfterFile(() => asked.clear());
  const first = asked.get(policy) ?? askedUnder(policy);
  asked.set(policy, first);
  const { repo: original, asked: request, signers: all, jane, bob, carol } = await first;
  const repo = await copyRepo(original);
  const open: Scene['open'] = ({ identity, signers = all } = {}) =>
    engineOf(repo, { env: { ...identity?.env }, ...(signers !== null && { allowedSigners: signers }) });
  const engines = new Map<string, Promise<Engine>>();
  const engineFor = ({ identity }: Someone) => {
    const engine = engines.get(identity.email) ?? open({ identity });
    engines.set(identity.email, engine);
    return engine;
  };
  return {
    repo,
    asked: request,
    jane,
    bob,
    carol,
    open,
    worker: await open(),
    as: async (somebody) => ({ ...somebody, engine: await engineFor(somebody) }),
  };
}

async function askedUnder(policy: string) {
  const stage = await scene(policy === '' ? {} : { policy });
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
