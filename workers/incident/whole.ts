/** An incident that is published in one push, or not at all, is asked for at once. */
import { BacktrailError } from '../../engine/index.ts';
import type { Item } from './plan.ts';

/**
 * What an earlier run did not ask for with the others cannot join them: it fails, and with it all that is left to be done. So does what was asked for
 * alone, before the file said so: approving it would publish it alone.
 */
export function requireWhole(items: readonly Item[]): void {
  for (const item of items) if (isAlone(item)) item.error = askedAlone();
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

const isAlone = ({ request, error }: Item) =>
  request !== undefined && request.atomic === undefined && request.status !== 'completed' && !error;

function askedAlone(): BacktrailError {
  return new BacktrailError(
    'REQUEST_EXISTS',
    'It was asked for before to be published alone, and the file now says `atomic: true`.',
    { hint: 'Cancel or reject those that are open, and give the file another id.' },
  );
}
