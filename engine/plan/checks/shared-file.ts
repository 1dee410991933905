import { quotePath } from '../../model/index.ts';
import { isShared } from '../../layout/layout.ts';
import type { CheckInput, RawFinding } from '../check-input.ts';

/** How many files are named. */
const MOST = 10;

/** SHARED_FILE: parts of files change in which other services have parts as well. */
export function checkSharedFiles({
  snapshot: { layout },
  plan: { scope, files, wholeFiles },
}: CheckInput): RawFinding[] {
  if (scope.mode === 'full') return [];
  const { service: _, ...environment } = scope;
  const shared = files.filter(
    ({ path }) => isShared(layout, environment, path) && !wholeFiles.includes(path),
  );
  if (shared.length === 0) return [];
  const named = shared.slice(0, MOST).map(({ path }) => quotePath(path));
  const more = shared.length > MOST ? ` and ${shared.length - MOST} more` : '';
  const [first] = shared;
  return [
    {
      code: 'SHARED_FILE',
      message: `Other services have parts of ${named.join(', ')}${more}: only the selected parts change.`,
      ...(shared.length === 1 && first !== undefined && { path: first.path }),
    },
  ];
}
