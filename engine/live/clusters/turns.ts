/** Runs so much at the same time for each cluster, and the rest in its order: however many people ask, a cluster is not asked by more than this. */
export type InTurn = <Value>(work: () => Promise<Value>) => Promise<Value>;

export function createTurns(count: number): (cluster: string) => InTurn {
  const clusters = new Map<string, InTurn>();
  return (cluster) => {
    const known = clusters.get(cluster) ?? limitTo(count);
    clusters.set(cluster, known);
    return known;
  };
}

function limitTo(count: number): InTurn {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
