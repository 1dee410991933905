import { type Check, quotePath } from '../../model/index.ts';
import { overlapsIn } from '../../layout/overlaps.ts';
import { type CheckedTree, configuration, count } from './tree.ts';

/** Files with several names: each asks for what its own rules say. */
export function checkOverlaps({ layout, files, coordinates }: CheckedTree): Check[] {
  const overlaps = overlapsIn(
    layout,
    files.map(({ path }) => path),
    coordinates,
  );
  const [first] = overlaps;
  if (first === undefined) return [];
  const others = overlaps.length === 1 ? '' : ` (and ${count(overlaps.length - 1, 'more overlap')})`;
  return [
    configuration('overlap', 'warn', {
      message: `${quotePath(first.path)} belongs to ${first.environments.join(' and to ')}${others}: a rollback of one is a rollback of the other.`,
      hint: 'Narrow the patterns of `layout`, or name what is not an environment in `layout.ignore`.',
      details: { overlaps: overlaps.slice(0, 50) },
    }),
  ];
}
