/**
 * LRU cache of up to `limit` bytes. Concurrent calls for a key share one load; a failure is not cached.
 */
export interface Cache<Value> {
  /** What is kept already. */
  known(key: string): Value | undefined;
  get(key: string, load: () => Promise<{ value: Value; size: number }>): Promise<Value>;
}

export function createCache<Value>(limit: number): Cache<Value> {
  const kept = new Map<string, { value: Value; size: number }>();
  const loading = new Map<string, Promise<Value>>();
  let total = 0;

  const keep = (key: string, item: { value: Value; size: number }) => {
    if (item.size > limit) return;
    kept.set(key, item);
    total += item.size;
    for (const [oldest, { size }] of kept) {
      if (total <= limit) break;
      kept.delete(oldest);
      total -= size;
    }
  };
  const load = async (key: string, read: () => Promise<{ value: Value; size: number }>) => {
    try {
      const item = await read();
      keep(key, item);
      return item.value;
    } finally {
      loading.delete(key);
    }
  };
  return {
    known: (key) => kept.get(key)?.value,
    get(key, read) {
      const found = kept.get(key);
      if (found !== undefined) {
        // A map keeps the order of insertion: set again, it is the youngest.
        kept.delete(key);
        kept.set(key, found);
        return Promise.resolve(found.value);
      }
      const shared = loading.get(key) ?? load(key, read);
      loading.set(key, shared);
      return shared;
    },
  };
}
