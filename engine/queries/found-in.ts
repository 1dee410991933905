/** Whether there is nothing in a scope, or no such scope. */
import type { Person } from '../model/index.ts';

interface Histories {
  history(ask: {
    readonly scope: string;
    readonly limit: number;
    readonly reader?: Person;
  }): Promise<unknown>;
}

/**
 * What was found in a scope. Nothing may mean that it is misspelt, or not for this reader.
 *
 * @throws PERMISSION_DENIED, TENANT_UNKNOWN, ENVIRONMENT_UNKNOWN, SERVICE_UNKNOWN
 */
export async function foundIn<Item>(
  engine: Histories,
  scope: string | undefined,
  found: readonly Item[],
  reading: { readonly reader?: Person } = {},
): Promise<readonly Item[]> {
  if (scope !== undefined && found.length === 0) await engine.history({ scope, limit: 1, ...reading });
  return found;
}
