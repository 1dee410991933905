import { isSecretKey } from '../../yaml/mask/secrets.ts';
import { listAt, textAt, valueAt } from '../read.ts';

const MOST = 200;

/** Values that manifests give variables with names of secrets: no message of an event or a pod may have them. */
export function secretsOf(object: unknown): readonly string[] {
  const specs = [valueAt(object, 'spec', 'template', 'spec'), valueAt(object, 'spec')];
  const containers = specs.flatMap((spec) => [
    ...listAt(spec, 'initContainers'),
    ...listAt(spec, 'containers'),
  ]);
  return containers
    .flatMap((container) => listAt(container, 'env'))
    .flatMap((variable) =>
      isSecretKey(textAt(variable, 'name') ?? '') ? [textAt(variable, 'value') ?? ''] : [],
    )
    .filter((value) => value !== '')
    .slice(0, MOST);
}
