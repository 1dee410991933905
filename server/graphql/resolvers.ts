/** Queries and mutations: each translates to what the core calls do. */
import type { GraphQLResolveInfo } from 'graphql';
import {
  BacktrailError,
  type Coordinates,
  formatCoordinates,
  type PlanAsk,
  recordable,
} from '../../engine/index.ts';
import { approve } from '../approval.ts';
import { openRequest } from '../opening.ts';
import { toPlanAsk } from '../schemas/ask.ts';
import { rollbackAsk } from '../schemas/opened.ts';
import { approveAsk, rejectAsk } from '../schemas/request.ts';
import { type Call, type Context, withKey } from './call.ts';
import { connectionOf, type PageAsk } from './connection.ts';
import {
  type DeploymentNode,
  type Deployed,
  deployedOf,
  type Known,
  knownOf,
  nodeOf,
} from './deployments.ts';
import { coordinatesOf, instanceIdOf, organizationIdOf } from './instance.ts';
import { type PlanNode, planNode } from './plan.ts';
import { Refused, type Result, resultOf } from './results.ts';
import { DateTime, UUID } from './scalars.ts';
import { requireSource } from './source.ts';

interface InOrganization {
  readonly organizationId: string;
}

interface Options {
  readonly digest?: string | null;
  readonly hold?: boolean | null;
  readonly holdFor?: string | null;
  readonly allowRemoval?: boolean | null;
  readonly override?: readonly string[] | null;
}

interface RollbackInput extends InOrganization, Options {
  readonly id: string;
  readonly instanceId?: string | null;
  readonly message?: string | null;
}

interface ProposeInput extends InOrganization, Options {
  readonly instanceId: string;
  readonly revision: string;
  readonly message: string;
  readonly fields?: readonly string[] | null;
}

interface PlanInput extends InOrganization, Pick<Options, 'hold' | 'holdFor'> {
  readonly id?: string | null;
  readonly instanceId?: string | null;
  readonly revision?: string | null;
  readonly fields?: readonly string[] | null;
}

interface VoteInput extends InOrganization {
  readonly id: string;
  readonly message?: string | null;
  readonly digest?: string | null;
}

type Resolve<Source, Input, Value> = (
  source: Source,
  input: Input,
  context: Context,
  info: GraphQLResolveInfo,
) => Promise<Value>;

interface Instance {
  readonly id: string;
  readonly organizationId: string;
  readonly environment: string;
  readonly service: string | null;
  readonly known: Known;
}

const instance: Resolve<unknown, { readonly id: string }, Instance> = async (_, { id }, { call }) => {
  const coordinates = coordinatesOf(id, call.input.helm);
  // Says which of its names is not known, or may not be read.
  await call.input.engine.history({
    scope: formatCoordinates(coordinates),
    limit: 1,
    reader: call.person,
  });
  return {
    id: instanceIdOf(coordinates),
    organizationId: organizationIdOf(coordinates),
    environment: coordinates.environment,
    service: coordinates.service ?? null,
    known: knownOf(call, coordinates),
  };
};

const deployment: Resolve<unknown, VoteInput, DeploymentNode> = async (
  _,
  { organizationId, id },
  { call },
) => {
  const found = await deployedOf(call, id);
  if (organizationIdOf(found.coordinates) === organizationId) return shownOf(call, found);
  throw new BacktrailError('DEPLOYMENT_UNKNOWN', 'The organization has no such deployment.');
};

const rollbackDeployment: Resolve<unknown, RollbackInput, Result<DeploymentNode>> = (
  _,
  input,
  { call },
  info,
) =>
  resultOf(['id', ...namesOf(input)], async () => {
    const { to, coordinates, reason } = await requireSource(call, input);
    const message = input.message ? `${reason}\n\n${input.message}` : reason;
    return propose(call, info, { ...input, hold: input.hold ?? true, message, coordinates, revision: to });
  });

const proposeDeployment: Resolve<unknown, ProposeInput, Result<DeploymentNode>> = (
  _,
  input,
  { call },
  info,
) =>
  resultOf(['instanceId', ...namesOf(input)], async () => {
    const coordinates = coordinatesIn(call, input.instanceId, input.organizationId);
    return propose(call, info, { ...input, hold: input.hold ?? false, coordinates });
  });

const planDeployment: Resolve<unknown, PlanInput, Result<PlanNode>> = (_, input, { call }) =>
  resultOf([input.id ? 'id' : 'instanceId', ...namesOf(input)], async () => {
    const { id, instanceId, revision, fields, organizationId } = input;
    if (id) {
      const found = await deployedOf(call, id);
      if (found.record === null && found.request !== null && isOpen(found.request.status)) {
        requireOrganization(found, organizationId);
        const { engine } = call.input;
        const { plan } = await engine.requests.plan({ id, reader: call.person, revisions: true });
        return planNode(found.coordinates, plan);
      }
      const { to, coordinates } = await requireSource(call, { id, organizationId, instanceId });
      const hold = input.hold ?? true;
      return planFor(call, coordinates, coreBody({ ...input, hold, coordinates, revision: to }));
    }
    if (!instanceId || !revision)
      throw new BacktrailError(
        'INVALID_REQUEST',
        'A plan is of a deployment, or of an instance and a revision.',
      );
    const coordinates = coordinatesIn(call, instanceId, organizationId);
    return planFor(call, coordinates, coreBody({ ...input, revision, fields, coordinates }));
  });

const approveDeployment: Resolve<unknown, VoteInput, Result<DeploymentNode>> = (_, input, { call }) =>
  voted(input, call, async (id) => {
    const { message: comment, digest } = input;
    const body = approveAsk.parse({ comment, digest });
    const gone = new AbortController();
    call.reply.raw.once('close', () => gone.abort());
    await approve(call.input, { ...body, id, actor: call.person }, gone.signal);
  });

const rejectDeployment: Resolve<unknown, VoteInput, Result<DeploymentNode>> = (_, input, { call }) =>
  voted(input, call, async (id) => {
    const { comment } = rejectAsk.parse({ comment: input.message });
    const said = comment ? { comment: recordable(comment) } : {};
    await call.input.engine.requests.reject({ id, actor: call.person, ...said });
  });

/** As it is after the vote; also where its execution failed. */
async function voted(
  input: VoteInput,
  call: Call,
  vote: (id: string) => Promise<void>,
): Promise<Result<DeploymentNode>> {
  const { id, organizationId } = input;
  const result = await resultOf(['id', ...namesOf(input)], async () => {
    const found = await deployedOf(call, id);
    requireOrganization(found, organizationId);
    if (found.request === null)
      throw new BacktrailError(
        'REQUEST_UNKNOWN',
        'It is a record of what was deployed: nobody asks for approval of it.',
      );
    call.request.hasWritten = true;
    await vote(found.request.id);
    return found.request.id;
  });
  const isFailed = result.messages.some(({ code }) => code === 'EXECUTION_FAILED');
  const shown =
    result.successful || isFailed ? shownOf(call, await deployedOf(call, result.result ?? id)) : null;
  return { ...result, result: shown };
}

interface Proposal extends Options {
  readonly coordinates: Coordinates;
  readonly revision: string;
  readonly message?: string | null | undefined;
  readonly fields?: readonly string[] | null | undefined;
}

/** Nothing of it is carried out before a person agrees. */
async function propose(call: Call, info: GraphQLResolveInfo, proposal: Proposal): Promise<DeploymentNode> {
  const opening = rollbackAsk.parse(coreBody(proposal));
  const ask: PlanAsk = toPlanAsk(opening);
  const { request } = await withKey(call, info, (key) =>
    openRequest(call.input, { ask, author: call.person, opening, key }),
  );
  if (request === null)
    throw new BacktrailError('INVALID_REQUEST', 'Nothing would change: it is what there is now.', {
      hint: 'Choose another deployment or revision.',
    });
  return shownOf(call, { coordinates: proposal.coordinates, record: null, request });
}

/** The body that the core API takes for it. */
function coreBody({ coordinates, revision, message, fields, ...options }: Proposal) {
  const { tenant, environment, service } = coordinates;
  const { digest, hold, holdFor, allowRemoval, override } = options;
  return {
    tenant: tenant ?? '-',
    environment,
    ...(service !== undefined && { service }),
    targetSha: revision,
    ...(fields && { selectedFields: fields }),
    ...(message && { justification: message }),
    ...(digest && { digest }),
    ...(typeof hold === 'boolean' && { hold }),
    ...(holdFor && { holdFor }),
    ...(allowRemoval && { allowRemoval }),
    ...(override && { override }),
    propose: true,
  };
}

async function planFor(call: Call, coordinates: Coordinates, body: object): Promise<PlanNode> {
  const { engine } = call.input;
  const plan = await engine.rollbacks.plan({
    ...toPlanAsk(rollbackAsk.parse(body)),
    author: call.person,
    reader: call.person,
    revisions: true,
    ledger: true,
    pushTest: 'worker',
  });
  return planNode(coordinates, plan, plan.gate);
}

function shownOf(call: Call, found: Deployed): DeploymentNode {
  return nodeOf(knownOf(call, found.coordinates), found);
}

const isOpen = (status: string) => ['pending', 'approved', 'executing', 'failed'].includes(status);

/** @throws TENANT_UNKNOWN, SCOPE_INVALID */
function coordinatesIn(call: Call, instanceId: string, organizationId: string): Coordinates {
  const coordinates = coordinatesOf(instanceId, call.input.helm);
  requireOrganization({ coordinates }, organizationId);
  return coordinates;
}

function requireOrganization({ coordinates }: Pick<Deployed, 'coordinates'>, organizationId: string): void {
  if (organizationIdOf(coordinates) === organizationId) return;
  throw new Refused([
    {
      field: 'organizationId',
      message: 'It is of another organization.',
      code: 'TENANT_UNKNOWN',
      hint: 'The organization is the tenant; `-`: none.',
    },
  ]);
}

const namesOf = (input: object) => Object.keys(input);

export const RESOLVERS = {
  UUID,
  DateTime,
  Query: { instance, deployment, planDeployment },
  Mutation: { rollbackDeployment, proposeDeployment, planDeployment, approveDeployment, rejectDeployment },
  Instance: {
    deployments: ({ known }: Instance, page: PageAsk) => connectionOf(known, page),
  },
};
