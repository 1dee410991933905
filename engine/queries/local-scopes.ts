/** The names that a shell completes: read from this machine alone, so that pressing Tab never waits for a remote. */
import { formatCoordinates } from '../model/index.ts';
import { openGit, type OpenOptions } from '../git/open.ts';
import { parseLocation } from '../git/remote/location.ts';
import { createObserve } from '../rollback/observe.ts';
import { environments } from './queries.ts';

/**
 * Environments and services of a local repository, as `acme/production` and `acme/production/api`. A clone answers from its own
 * branch, even where its upstream is ahead; a URL gives none. Fails as opening and reading a repository does.
 */
export async function localScopes(options: OpenOptions): Promise<string[]> {
  if ((await parseLocation(options.location)).kind === 'remote') return [];
  const git = await openGit(options);
  try {
    const { environments: found } = await environments(await createObserve(git, null)());
    return found.flatMap(({ services, ...place }) => [
      formatCoordinates(place),
      ...services.map((service) => formatCoordinates({ ...place, service })),
    ]);
  } finally {
    await git.close();
  }
}
