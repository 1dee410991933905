/** An incident that is published in one push, or not at all, is asked for at once. */
import { BacktrailError } from '../../../engine/index.ts';
import type { Item } from './plan.ts';

/** What an earlier run did not ask for with the others cannot join them: it fails, and with it all that is left to be done. */
export function requireWhole(items: readonly Item[]): void {
  const isNew = ({ plan, error }: Item) => plan !== undefined && !plan.unchanged && !error;
  if (!items.some(({ request, done }) => request !== undefined || done !== undefined)) return;
  for (const item of items)
    if (isNew(item))
      item.error = new BacktrailError(
        'REQUEST_EXISTS',
        'The others were asked for before, without this one, and are published in one push or not at all.',
        { hint: 'Give the file another id to ask for all of them together.' },
      );
}
