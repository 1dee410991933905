import { listAt, textAt } from '../read.ts';

/** Messages of conditions that are errors: `ComparisonError`, `InvalidSpecError`, `SyncError`, … */
export const conditionTexts = (object: unknown): readonly string[] =>
  listAt(object, 'status', 'conditions').flatMap((condition) => {
    const type = textAt(condition, 'type') ?? '';
    return type.endsWith('Error') ? [`${type}: ${textAt(condition, 'message') ?? 'without a message'}`] : [];
  });

/** The first resource of a health, or that is not synced, and what it says: `Deployment acme/api: exceeded its progress deadline`. */
export function resourceText(
  resources: readonly unknown[],
  isMeant: (resource: unknown) => boolean,
): string | undefined {
  const found = resources.filter(isMeant);
  const [first] = found;
  if (first === undefined) return undefined;
  const name = [textAt(first, 'namespace'), textAt(first, 'name')]
    .filter((part) => part !== undefined)
    .join('/');
  const message = textAt(first, 'health', 'message');
  const more = found.length > 1 ? ` (and ${found.length - 1} more)` : '';
  return `${textAt(first, 'kind') ?? 'object'} ${name}${message === undefined ? '' : `: ${message}`}${more}`;
}
