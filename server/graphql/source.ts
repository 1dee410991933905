/** What a rollback returns to: a deployment that was completed. */
import { type Coordinates, formatCoordinates, isFailure } from '../../engine/index.ts';
import type { Call } from './call.ts';
import {
  actionOf,
  commitOf,
  type Deployed,
  deployedOf,
  idOf,
  knownOf,
  statusOf,
  versionOf,
} from './deployments.ts';
import { coordinatesOf, instanceIdOf, organizationIdOf } from './instance.ts';
import { type Message, Refused } from './results.ts';

export interface SourceInput {
  readonly organizationId: string;
  readonly id: string;
  readonly instanceId?: string | null | undefined;
}

export interface Source {
  readonly coordinates: Coordinates;
  /** The revision. */
  readonly to: string;
  /** `Rollback to deployment dep-… (v12) of acme/production/api-gateway` */
  readonly reason: string;
}

/** Says all that is wrong with it. @throws Refused, DEPLOYMENT_UNKNOWN, REQUEST_UNKNOWN, PERMISSION_DENIED */
export async function requireSource(call: Call, input: SourceInput): Promise<Source> {
  const { id } = input;
  const found = await deployedOf(call, id);
  const { coordinates, record } = found;
  const to = commitOf(found);
  const problems = problemsOf(call, found, input);
  if (problems.length > 0 || to === null) throw new Refused(problems);
  if (record !== null) {
    const { engine } = call.input;
    // What counts of it is the engine's to say.
    await engine.deployments
      .restorable({ id: record.id, reader: call.person, orRolledBack: true })
      .catch((error: unknown) => {
        if (!isFailure(error)) throw error;
        const { code, message, hint } = error;
        throw new Refused([{ field: 'id', message, code, hint }]);
      });
  }
  const version = await versionOf(knownOf(call, coordinates), found);
  const revision = version === null ? to.slice(0, 10) : `v${version}`;
  return {
    coordinates,
    to,
    reason: `Rollback to deployment ${id} (${revision}) of ${formatCoordinates(coordinates)}`,
  };
}

function problemsOf(
  { input: { helm } }: Call,
  found: Deployed,
  { organizationId, instanceId }: SourceInput,
): readonly Message[] {
  const { coordinates, request } = found;
  const problems: Message[] = [];
  const say = (field: string, message: string, hint: string, code = 'DEPLOYMENT_STATUS') =>
    void problems.push({ field, message, code, hint });
  if (organizationIdOf(coordinates) !== organizationId)
    say(
      'organizationId',
      'The deployment is of another organization.',
      'The organization is the tenant; `-`: none.',
      'TENANT_UNKNOWN',
    );
  const own = instanceIdOf(coordinates);
  if (instanceId && instanceIdOf(coordinatesOf(instanceId, helm)) !== own)
    say(
      'instanceId',
      `${idOf(found)} is of another instance: ${own}.`,
      'A deployment is returned to where it was.',
      'SCOPE_INVALID',
    );
  const [action, status] = [actionOf(found), statusOf(found)];
  if (action !== 'PROVISION')
    say(
      'id',
      `${idOf(found)} has the action ${action}: only a PROVISION is returned to.`,
      'Choose one that was deployed.',
    );
  if (request?.resume === true)
    say('id', `${idOf(found)} is the end of a hold: it deployed nothing.`, 'Choose one that was deployed.');
  if (status !== 'COMPLETED')
    say(
      'id',
      `${idOf(found)} is ${status}: only what is COMPLETED is returned to.`,
      'Choose one that is COMPLETED.',
    );
  if (status === 'COMPLETED' && request?.problems !== undefined)
    say(
      'id',
      `${idOf(found)} is not what it says: ${request.problems.join(' ')}`,
      'Ask whoever looks after the ledger.',
    );
  return problems;
}
