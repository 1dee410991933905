/** One engine a repository for several who work on it beside each other: each of them would keep processes and what it has read of its own. */
import type { Engine } from '../engine/index.ts';

export interface SharedEngine {
  readonly engine: Engine;
  /** With the last one it is closed. `isBroken`: whoever asks next gets another one. Once. */
  release(isBroken?: boolean): Promise<void>;
}

export type ShareEngine = (repo: string) => Promise<SharedEngine>;

export function shareEngines(open: (repo: string) => Promise<Engine>): ShareEngine {
  const held = new Map<string, { readonly opening: Promise<Engine>; users: number }>();
  return async (repo) => {
    const own = held.get(repo) ?? { opening: open(repo), users: 0 };
    held.set(repo, own);
    own.users += 1;
    const leave = () => {
      if (held.get(repo) === own) held.delete(repo);
    };
    const engine = await own.opening.catch((error: unknown) => {
      leave();
      throw error;
    });
    return {
      engine,
      release: async (isBroken = false) => {
        own.users -= 1;
        if (isBroken || own.users === 0) leave();
        if (own.users === 0) await engine.close();
      },
    };
  };
}
