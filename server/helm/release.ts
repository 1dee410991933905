/** Releases, as Helm names them: each is a service. */
import { BacktrailError } from '../../engine/index.ts';

export interface HelmSettings {
  /** Names of releases, and the scope of the service that each is: `payments-prod: acme/production/payments`. */
  readonly releases: Readonly<Record<string, string>>;
}

export const NO_RELEASES: HelmSettings = { releases: {} };

/**
 * The scope of a release: the one that the server's configuration gives its name, else `tenant~environment~service`, where `-` stands for no tenant.
 *
 * @throws INVALID_REQUEST
 */
export function scopeOfRelease({ releases }: HelmSettings, id: string): string {
  const named = Object.hasOwn(releases, id) ? releases[id] : undefined;
  if (named !== undefined) return named;
  const [tenant = '', environment = '', service = '', ...more] = id.split('~');
  const names = [tenant, environment, service];
  if (more.length > 0 || names.some((name) => name === '' || name.includes('/')))
    throw new BacktrailError(
      'INVALID_REQUEST',
      `releaseId is not the name of a release: ${JSON.stringify(id.slice(0, 100))}.`,
      {
        hint: 'It is tenant~environment~service, with - for no tenant. One whose names hold a ~ is named by `helm.releases` of the server’s configuration.',
      },
    );
  return (tenant === '-' ? [environment, service] : names).join('/');
}
