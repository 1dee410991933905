/** Pages of lists: `next` of one is `cursor` of the next. */
import { z } from 'zod';
import { BacktrailError } from '../../engine/index.ts';

/** How many at most, and after which. */
export const pageQuery = (cursor: z.ZodType<string>, limit = 100) => ({
  limit: z.coerce.number().int().min(1).max(1000).default(limit),
  cursor: cursor.optional(),
});

export const next = z.string().nullable().describe('`cursor` of the next page; null: this is the last one.');

/** Of one more than is asked for, or of all. */
export function pageOf<Item>(
  items: readonly Item[],
  { limit, keyOf }: { readonly limit: number; readonly keyOf: (item: Item) => string },
): { readonly page: readonly Item[]; readonly next: string | null } {
  const page = items.slice(0, limit);
  const last = page.at(-1);
  return { page, next: items.length > limit && last !== undefined ? keyOf(last) : null };
}

/** Of a list that is whole: what comes behind the item that `cursor` names. @throws INVALID_REQUEST where none is */
export function pageFrom<Item>(
  items: readonly Item[],
  {
    cursor,
    ...how
  }: {
    readonly limit: number;
    readonly cursor?: string | undefined;
    readonly keyOf: (item: Item) => string;
  },
): ReturnType<typeof pageOf<Item>> {
  const last = cursor === undefined ? -1 : items.findIndex((item) => how.keyOf(item) === cursor);
  if (cursor !== undefined && last === -1)
    throw new BacktrailError('INVALID_REQUEST', 'The list does not have what `cursor` names.');
  return pageOf(items.slice(last + 1), how);
}
