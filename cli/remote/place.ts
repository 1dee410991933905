/** Scopes as people write them, in addresses of the server. */
import { BacktrailError, type Coordinates } from '../../engine/index.ts';
import { segment } from './http.ts';

/** @throws SCOPE_INVALID */
export function coordinatesOf(scope: string | Coordinates, hasTenants: boolean): Coordinates {
  if (typeof scope !== 'string') return scope;
  const parts = scope.split('/');
  const [tenant, environment, service, ...rest] = hasTenants ? parts : [undefined, ...parts];
  if (environment === undefined || rest.length > 0 || parts.includes('')) {
    const form = hasTenants ? 'tenant/environment[/service]' : 'environment[/service]';
    throw new BacktrailError(
      'SCOPE_INVALID',
      `${JSON.stringify(scope.slice(0, 100))} is not a scope: this layout needs ${form}.`,
    );
  }
  return {
    ...(tenant !== undefined && { tenant }),
    environment,
    ...(service !== undefined && { service }),
  };
}

/** `/environments/acme/production` */
export const environmentPath = ({ tenant, environment }: Coordinates): string =>
  `/environments/${segment(tenant ?? '-')}/${segment(environment)}`;
