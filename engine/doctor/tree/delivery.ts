/** Where manifests would go. */
import { type Check, formatCoordinates } from '../../model/index.ts';
import { deliveryOutput } from '../../layout/layout.ts';
import { type CheckedTree, configuration, count, groupBy, nameOf, some } from './tree.ts';

/** Where manifests go: two services in one file, and outputs that the layout takes for an environment or a service. */
export function checkDelivery({ layout, coordinates, places }: CheckedTree): Check[] {
  if (layout.config.delivery === null) return [];
  const services = coordinates.filter(({ service }) => service !== undefined);
  const byOutput = groupBy(services, (scope) => deliveryOutput(layout, scope) ?? '');
  const shared = [...byOutput].filter(([, scopes]) => scopes.length > 1);
  const [first] = shared;
  const checks: Check[] = [];
  if (first) {
    const [output, scopes] = first;
    checks.push(
      configuration('delivery', 'fail', {
        message: `${scopes.length} services would be written to ${output}: ${some(scopes.map(formatCoordinates))}.`,
        hint: 'Add the missing placeholder to `delivery.output` in the configuration.',
        details: {
          outputs: shared
            .slice(0, 50)
            .map(([output, scopes]) => ({ output, services: scopes.map(formatCoordinates) })),
        },
      }),
    );
  }
  const taken = places.filter(
    ({ root }) =>
      !layout.shared.isShared(root) && (layout.isExcluded(root) || layout.isExcluded(`${root}/x`)),
  );
  if (taken.length > 0)
    checks.push(
      configuration('delivery', 'warn', {
        message: `The layout takes delivery outputs for something of their own: ${some([...new Set(taken.map(({ bindings }) => nameOf(bindings)))])}.`,
        hint: `Write ${JSON.stringify(taken[0]?.pattern.text ?? '')} so that it does not match ${taken[0]?.root ?? ''}, or deliver to another folder.`,
        details: { roots: taken.slice(0, 50).map(({ root }) => root) },
      }),
    );
  if (checks.length > 0) return checks;
  const outputs = count(byOutput.size, 'service');
  return [configuration('delivery', 'ok', { message: `The manifests of ${outputs} go to a file each.` })];
}
