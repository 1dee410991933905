/** What is published in one push with others, or not at all. */
import type { LedgerRequest, Person, RequestId, RequestStatus } from '../model/index.ts';

interface Lists {
  readonly requests: {
    list(filter: {
      readonly incident: string;
      readonly reader: Person;
      readonly statuses: readonly RequestStatus[];
    }): Promise<readonly Pick<LedgerRequest, 'atomic'>[]>;
  };
}

/** Of each group of an incident, by its first request, how many of it still await approval. */
export async function awaitedIn(
  engine: Lists,
  reader: Person,
  incident: string,
): Promise<ReadonlyMap<RequestId, number>> {
  const pending = await engine.requests.list({ incident, reader, statuses: ['pending'] });
  const counts = new Map<RequestId, number>();
  for (const { atomic } of pending)
    if (atomic !== undefined) counts.set(atomic.first, (counts.get(atomic.first) ?? 0) + 1);
  return counts;
}

/** How many others of its group await approval. */
export async function awaitedBy(
  engine: Lists,
  reader: Person,
  { atomic, incident }: Pick<LedgerRequest, 'atomic' | 'incident'>,
): Promise<number> {
  if (atomic === undefined || incident === undefined) return 0;
  return (await awaitedIn(engine, reader, incident)).get(atomic.first) ?? 0;
}
