/** Instances: a service of an environment, or all of it, under one name. */
import { BacktrailError, type Coordinates } from '../../engine/index.ts';
import { type HelmSettings, NO_RELEASES } from '../helm/release.ts';

/** `acme~production~api`; `-` for no tenant. */
export const instanceIdOf = ({ tenant, environment, service }: Coordinates): string =>
  [tenant ?? '-', environment, ...(service === undefined ? [] : [service])].join('~');

/** Also of a name that the server's configuration gives a service. @throws SCOPE_INVALID */
export function coordinatesOf(id: string, { releases }: HelmSettings = NO_RELEASES): Coordinates {
  const named = Object.hasOwn(releases, id) ? releases[id] : undefined;
  if (named !== undefined) return coordinatesIn(named);
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

/** Of the scope of a service. */
function coordinatesIn(scope: string): Coordinates {
  const names = scope.split('/');
  const [service = '', environment = '', tenant] = names.toReversed();
  return { ...(tenant !== undefined && { tenant }), environment, service };
}

export const organizationIdOf = ({ tenant }: Coordinates): string => tenant ?? '-';
