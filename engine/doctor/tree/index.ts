/** The configuration against the tip: what matches nothing, what is seen twice, what is kept. Reads through the view only. */
import { type Check, quotePath, type TreeView } from '../../model/index.ts';
import type { Layout } from '../../layout/layout.ts';
import { checkDelivery } from './delivery.ts';
import { checkFields } from './fields.ts';
import { checkKeep } from './kept.ts';
import { checkOverlaps } from './overlaps.ts';
import { checkPatterns } from './patterns.ts';
import { checkPolicy } from './policy.ts';
import { checkServices } from './services.ts';
import { type CheckedTree, checkedTree, configuration, count, some } from './tree.ts';

export { type Keyed, peopleWithKeys } from './policy.ts';
export { count, some } from './tree.ts';

export async function checkConfiguration(view: TreeView, layout: Layout): Promise<Check[]> {
  const tree = await checkedTree(view, layout);
  return [
    checkLayout(tree),
    ...(await checkPatterns(tree)),
    ...checkFiles(tree),
    ...checkShared(tree),
    ...checkOverlaps(tree),
    ...(await checkServices(tree)),
    ...(await checkFields(tree)),
    ...(await checkKeep(tree)),
    ...checkDelivery(tree),
    ...checkPolicy(tree),
  ];
}

function checkFiles({ unreadable }: CheckedTree): Check[] {
  if (unreadable.length === 0) return [];
  return [
    configuration('files', 'warn', {
      message: `${count(unreadable.length, 'file')} of the layout cannot be read as YAML or JSON: ${some(unreadable.map(quotePath))}.`,
      hint: 'The services in it are not seen. Roll its environment back, or correct it by hand.',
      details: { files: unreadable.slice(0, 50) },
    }),
  ];
}

function checkShared({ layout, files }: CheckedTree): Check[] {
  const shared = files.map(({ path }) => path).filter((path) => layout.shared.isShared(path));
  if (shared.length === 0) return [];
  return [
    configuration('shared', 'ok', {
      message: `${count(shared.length, 'file')} ${shared.length === 1 ? 'is' : 'are'} shared and no rollback touches them, such as ${some(shared.map(quotePath), 1)}.`,
      details: { files: shared.slice(0, 50) },
    }),
  ];
}

function checkLayout({ coordinates }: CheckedTree): Check {
  const services = coordinates.filter(({ service }) => service !== undefined).length;
  const environments = coordinates.length - services;
  if (environments === 0)
    return configuration('layout', 'fail', {
      message: 'The layout finds nothing.',
      hint: 'Compare the patterns of `layout` with the tree.',
    });
  const found = `${count(environments, 'environment')}, ${count(services, 'service')}`;
  return configuration('layout', 'ok', { message: `The layout finds ${found}.` });
}
