/** What asks clusters is loaded with the first question: most commands ask none. */
import type { Clock, Clusters } from '../model/index.ts';
import type { LiveInput } from './live.ts';
import type { Live } from './types.ts';

interface Setup extends Pick<LiveInput, 'answer'> {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Those of the operator's file where absent. */
  readonly clusters?: Clusters | undefined;
}

export function lazyLive({ answer, clock, clusters, ...setup }: Setup): Live {
  let opened: Promise<Live> | null = null;
  const open = async (): Promise<Live> => {
    const { createLive } = await import('./live.ts');
    const { createClusters } = await import('./clusters/clusters.ts');
    return createLive({ answer, clock, clusters: clusters ?? createClusters({ ...setup, clock }) });
  };
  const live = () => (opened ??= open());
  return {
    status: async (ask) => (await live()).status(ask),
    ofRollback: async (ask) => (await live()).ofRollback(ask),
    drift: async (ask) => (await live()).drift(ask),
  };
}
