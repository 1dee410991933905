/** The deployment that an image names. */
import { BacktrailError, type DeploymentStatus } from '../model/index.ts';
import type { DeploymentFilter, Deployments, DeploymentView } from './types.ts';

interface Deploying {
  readonly deployments: Pick<Deployments, 'exists' | 'list'>;
}

type Reader = Parameters<Deployments['exists']>[0]['reader'];

/**
 * The newest record that counts and names an image, by its tag or its digest. Where it was recorded in several places: that of the only one that it runs in; else,
 * where it runs in none, the one that was rolled back last.
 *
 * @throws DEPLOYMENT_UNKNOWN, DEPLOYMENT_AMBIGUOUS with `details.candidates`, and what reading records fails with
 */
export async function findDeployment(
  engine: Deploying,
  asked: DeploymentFilter & { readonly image: string; readonly reader: Reader },
): Promise<DeploymentView> {
  const { deployments: counting } = await engine.deployments.exists({ ...asked, counting: true });
  const scopes = [...new Set(counting.map(({ scope }) => scope))];
  const found = scopes.flatMap((scope) => {
    const own = counting.filter((each) => each.scope === scope);
    return own.find(({ status }) => RAN.has(status)) ?? own.slice(0, 1);
  });
  const [only, ...others] = found;
  if (only === undefined)
    throw new BacktrailError(
      'DEPLOYMENT_UNKNOWN',
      `No record that counts names the image ${JSON.stringify(asked.image.slice(0, 100))}.`,
    );
  if (others.length === 0) return only;
  const running: DeploymentView[] = [];
  for (const each of found) if (await isRunning(engine, asked.reader, each)) running.push(each);
  const [one, more] = running;
  if (one !== undefined && more === undefined) return one;
  if (one !== undefined) throw ambiguous(asked.image, running);
  const [last, before] = found
    .filter(({ status }) => status === 'rolled_back')
    .toSorted((each, other) => (each.updatedAt < other.updatedAt ? 1 : -1));
  // Records know seconds.
  if (last === undefined || last.updatedAt === before?.updatedAt) throw ambiguous(asked.image, found);
  return last;
}

const RAN: ReadonlySet<DeploymentStatus> = new Set(['deployed', 'failed', 'rolled_back', 'decommissioned']);
/** Records that are looked at for the newest of an environment, which are listed with those of its services. */
const MOST = 100;

async function isRunning(
  { deployments }: Deploying,
  reader: Reader,
  { id, scope, status }: DeploymentView,
): Promise<boolean> {
  if (status !== 'deployed' && status !== 'failed') return false;
  const found = await deployments.list({ scope, reader, limit: MOST, counting: true });
  return found.deployments.find((each) => each.scope === scope && RAN.has(each.status))?.id === id;
}

function ambiguous(image: string, found: readonly DeploymentView[]): BacktrailError {
  const candidates = found.map(({ id, scope, status }) => ({ id, scope, status }));
  const names = candidates.slice(0, 5).map(({ scope }) => scope);
  const more = candidates.length > names.length ? ` and ${candidates.length - names.length} more` : '';
  return new BacktrailError(
    'DEPLOYMENT_AMBIGUOUS',
    `${JSON.stringify(image.slice(0, 100))} was deployed in several places: ${names.join(', ')}${more}.`,
    { details: { candidates } },
  );
}
