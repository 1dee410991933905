/** Instances: a service of an environment, or all of it, under one name. */
import { BacktrailError, type Coordinates } from '../../engine/index.ts';

/** `acme~production~api`; `-` for no tenant. */
export const instanceIdOf = ({ tenant, environment, service }: Coordinates): string =>
  [tenant ?? '-', environment, ...(service === undefined ? [] : [service])].join('~');

/** @throws SCOPE_INVALID */
export function coordinatesOf(id: string): Coordinates {
  const [tenant = '', environment = '', service, ...rest] = id.split('~');
  const names = [tenant, environment, ...(service === undefined ? [] : [service])];
  if (rest.length > 0 || names.some((name) => name === '' || name.length > 255 || name.includes('/')))
    throw new BacktrailError('SCOPE_INVALID', 'The id of an instance is tenant~environment~service.', {
      hint: '`-` stands for no tenant.',
    });
  return {
    ...(tenant !== '-' && { tenant }),
    environment,
    ...(service !== undefined && { service }),
  };
}

export const organizationIdOf = ({ tenant }: Coordinates): string => tenant ?? '-';
