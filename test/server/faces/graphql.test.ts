/** /graphql: the documents that clients send, what it refuses, and that it does what the core API does. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  deploymentPath,
  printDeploymentEvent,
  readDeploymentEvent,
} from '../../../engine/record/deployment-file.ts';
import { SCHEMA } from '../../../server/graphql/schema.ts';
import { configOf } from '../../helpers/people/requests.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';
import { type Side, twoSides, writtenSince } from '../../helpers/servers/faces.ts';
import { isProof } from '../../helpers/run/proof.ts';

const ROLLBACK =
  'mutation Rollback($orgId: ID!, $sourceDeploymentId: UUID!) { rollbackDeployment(organizationId: $orgId, id: $sourceDeploymentId) { successful result { id status action message rollbackOf { id version } } messages { field message } } }';
const LAST_GOOD =
  'query LastGoodDeployment($instanceId: ID!) { instance(id: $instanceId) { deployments(first: 5, filter: { action: PROVISION, status: COMPLETED }, sortBy: CREATED_AT, sortOrder: DESC) { edges { node { id version message createdAt } } } } }';
const APPROVE =
  'mutation ($id: UUID!, $message: String) { approveDeployment(organizationId: "-", id: $id, message: $message) { successful result { id status pinned approval { need have } } messages { field message code } } }';
const POLICY = { environments: [{ match: '**', quorum: 1, unsignedApprovals: true }] };

let face: Side;
let core: Side;
let base: string;
const records = new Map<string, string>();
beforeAll(async () => {
  const repo = await createRepo({ bare: true });
  const apps = (tag: string) =>
    Object.fromEntries(
      ['api', 'web', 'job'].map((name) => [
        `apps/prod/${name}/app.yaml`,
        `image: registry.example.com/${name}:${tag}\n`,
      ]),
    );
  const commits = ['v1', 'v2', 'v3'].map((tag) => ({ files: apps(tag) }));
  await repo.replay([
    { files: { '.backtrail/config.yaml': configOf(POLICY) } },
    ...commits,
    { files: { 'apps/dev/api/app.yaml': 'image: v1\n' } },
  ]);
  base = await repo.git('rev-parse', 'main');
  [face, core] = await twoSides(repo);
  for (const side of [face, core])
    for (const [commit, status] of [
      ['v1', 'deployed'],
      ['v2', 'failed'],
      ['v3', 'deployed'],
    ])
      for (const service of ['api', 'web']) {
        const body = { environment: 'prod', service, commit, status, note: `Release ${commit}` };
        const recorded = await side.jane.post('/api/v1/deployments', body);
        if (side === face) records.set(`${service} ${commit}`, recorded.body.id);
      }
});

const idOf = (name: string) => records.get(name) ?? '';
async function ask(
  query: string,
  variables: object = {},
  api: Api = face.jane,
  headers: Record<string, string> = {},
) {
  return api.post('/graphql', { query, variables }, { headers });
}
const rollback = async (id: string, orgId = '-') =>
  (await ask(ROLLBACK, { orgId, sourceDeploymentId: id })).body.data.rollbackDeployment;
const saying = ({ messages }: { messages: { field: string; message: string }[] }) =>
  messages.map(({ field, message }) => [field, message]);

describe('a rollback through /graphql', () => {
  it('is proposed by the document of the clients, waits, is approved, and is what the core API makes', async () => {
    const asked = await rollback(idOf('api v1'));
    const message = `Rollback to deployment ${idOf('api v1')} (v1) of prod/api`;
    expect(asked).toMatchObject({
      successful: true,
      result: {
        status: 'PROPOSED',
        action: 'PROVISION',
        message,
        rollbackOf: { id: idOf('api v1'), version: 1 },
      },
      messages: [],
    });
    const { id } = asked.result;
    const own = await ask(APPROVE, { id });
    expect(own.body.data.approveDeployment).toMatchObject({
      successful: false,
      messages: [
        { field: 'id', message: 'cannot approve/reject your own rollback request', code: 'OWN_REQUEST' },
      ],
    });
    const approved = await ask(APPROVE, { id, message: 'go' }, face.bob);
    expect(approved.body.data.approveDeployment).toMatchObject({
      successful: true,
      result: { id, status: 'APPROVED', pinned: true, approval: { need: 1, have: 1 } },
    });
    await face.engine.rollbacks.execute(id);
    const [target = ''] = (await core.repo.git('rev-list', '--reverse', 'main', '--', 'apps/prod/api')).split(
      '\n',
    );
    const body = { environment: 'prod', service: 'api', targetSha: target, hold: true, propose: true };
    const same = await core.jane.post('/api/v1/rollbacks', { ...body, justification: message });
    expect([same.status, same.body.status]).toEqual([201, 'pending']);
    await core.bob.post(`/api/v1/rollbacks/${same.body.requestId}/approve`, { comment: 'go' });
    await core.engine.rollbacks.execute(same.body.requestId);
    const written = await writtenSince(face, base);
    expect(written).toContain('Rollback-Hold: .backtrail/holds/prod/rbk-ID.yaml');
    expect(written).toBe(await writtenSince(core, base));
  });

  it('is the last good deployment then, and can itself be returned to', async () => {
    const { body } = await ask(LAST_GOOD, { instanceId: '-~prod~api' });
    const nodes = body.data.instance.deployments.edges.map(({ node }: { node: object }) => node);
    expect(nodes).toMatchObject([
      { version: 4, message: `Rollback to deployment ${idOf('api v1')} (v1) of prod/api` },
      { id: idOf('api v3'), version: 3, message: 'Release v3' },
      { id: idOf('api v1'), version: 1, message: 'Release v1' },
    ]);
    expect(nodes[0].id).toMatch(/^rbk-/);
    const now = await rollback(nodes[0].id);
    expect([now.successful, saying(now)]).toEqual([
      false,
      [['id', 'Nothing would change: it is what there is now.']],
    ]);
    // What it replaced was deployed once.
    const forward = await rollback(idOf('api v3'));
    expect(forward).toMatchObject({
      successful: true,
      result: { rollbackOf: { id: idOf('api v3'), version: 3 } },
    });
    const { data } = (
      await ask(
        'mutation ($id: UUID!) { rejectDeployment(organizationId: "-", id: $id, message: "no") { successful result { status } } }',
        { id: forward.result.id },
        face.bob,
      )
    ).body;
    expect(data.rejectDeployment).toEqual({ successful: true, result: { status: 'REJECTED' } });
  });

  it('needs a source that is COMPLETED, a PROVISION, and of the same instance, and says which it is not', async () => {
    const failed = idOf('web v2');
    expect(saying(await rollback(failed))).toEqual([
      ['id', `${failed} is FAILED: only what is COMPLETED is returned to.`],
    ]);
    const { body: gone } = await face.jane.call('PATCH', `/api/v1/deployments/${idOf('web v1')}`, {
      body: { status: 'decommissioned' },
    });
    expect(saying(await rollback(gone.id, 'acme'))).toEqual([
      ['organizationId', 'The deployment is of another organization.'],
      ['id', `${gone.id} has the action DECOMMISSION: only a PROVISION is returned to.`],
    ]);
    const elsewhere = await ask(
      `mutation { rollbackDeployment(organizationId: "-", id: "${idOf('api v1')}", instanceId: "-~prod~web") { successful messages { field message } } }`,
    );
    expect(saying(elsewhere.body.data.rollbackDeployment)).toEqual([
      ['instanceId', `${idOf('api v1')} is of another instance: -~prod~api.`],
    ]);
    expect(saying(await rollback(`dep-${'0'.repeat(26)}`))[0]?.[0]).toBe('id');
  });

  it.runIf(isProof)('is asked for once by a key, and is not by another document with that key', async () => {
    const key = { 'idempotency-key': 'k1' };
    const variables = { orgId: '-', sourceDeploymentId: idOf('api v3') };
    const [one, other] = [
      await ask(ROLLBACK, variables, face.jane, key),
      await ask(ROLLBACK, variables, face.jane, key),
    ];
    expect(other.body).toEqual(one.body);
    expect(other.headers.get('idempotent-replayed')).toBe('true');
    const wrong = await ask(ROLLBACK, { ...variables, sourceDeploymentId: idOf('web v3') }, face.jane, key);
    expect(wrong.body.data.rollbackDeployment).toMatchObject({ successful: false, result: null });
  });
});

describe('proposals and plans', () => {
  it('are of a revision, hold nothing, and say what is wrong by the name of the input', async () => {
    const propose = (inputs: string) =>
      ask(
        `mutation { proposeDeployment(organizationId: "-", instanceId: "-~prod~job", ${inputs}) { successful result { id status pinned version } messages { field code } } }`,
      ).then(({ body }) => body.data.proposeDeployment);
    expect(await propose('revision: "v1", message: "Back"')).toMatchObject({
      successful: true,
      result: { status: 'PROPOSED', pinned: false, version: null },
    });
    for (const [inputs, field, code] of [
      ['revision: "v99", message: "Back"', 'revision', 'REVISION_UNKNOWN'],
      ['revision: "v1", message: " "', 'message', 'REASON_REQUIRED'],
      ['revision: "v1", message: "Back", fields: ["nope"]', 'fields', 'FIELD_UNKNOWN'],
      [`revision: "v1", message: "Back", digest: "sha256:${'0'.repeat(64)}"`, 'digest', 'PLAN_CHANGED'],
      ['revision: "v1", message: "Back", digest: "x"', 'digest', 'INVALID_REQUEST'],
    ])
      expect(await propose(inputs ?? '')).toMatchObject({ successful: false, messages: [{ field, code }] });
  });

  it('plan what they would do, as the core API plans it', async () => {
    const fields =
      'successful messages { field code } result { digest files changes { path diff } findings { code } gate { needsApproval mayPropose } }';
    const { body } = await ask(
      `{ planDeployment(organizationId: "-", id: "${idOf('web v3')}") { successful result { unchanged } } }`,
    );
    expect(body.data.planDeployment).toEqual({ successful: true, result: { unchanged: true } });
    const of = await ask(
      `mutation { planDeployment(organizationId: "-", instanceId: "-~prod~job", revision: "v2") { ${fields} } }`,
    );
    const plan = { environment: 'prod', service: 'job', targetSha: 'v2', propose: true };
    const { digest } = (await face.jane.post('/api/v1/plans', plan)).body;
    expect(of.body.data.planDeployment).toMatchObject({
      successful: true,
      result: { digest, files: 1, gate: { needsApproval: true, mayPropose: true } },
    });
  });
});

describe('the deployments of an instance', () => {
  const page = async (args: string) =>
    (
      await ask(
        `{ instance(id: "-~prod~web") { deployments(${args}) { totalCount edges { cursor node { id version } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }`,
      )
    ).body;

  it('come in pages and orders, and each of them once', async () => {
    const seen: number[] = [];
    for (let after = ''; ; ) {
      const { edges, pageInfo, totalCount } = (
        await page(`first: 1, sortBy: VERSION, sortOrder: ASC${after}`)
      ).data.instance.deployments;
      expect([totalCount, edges.length, pageInfo.hasPreviousPage]).toEqual([3, 1, seen.length > 0]);
      seen.push(edges[0].node.version);
      if (!pageInfo.hasNextPage) break;
      after = `, after: "${pageInfo.endCursor}"`;
    }
    expect(seen).toEqual([1, 2, 3]);
    const failed = (await page('filter: { status: FAILED }')).data.instance.deployments.edges;
    expect(failed.map(({ node }: { node: { id: string } }) => node.id)).toEqual([idOf('web v2')]);
    for (const wrong of ['first: 0', 'first: 101', 'after: "x"'])
      expect((await page(wrong)).errors[0].extensions).toEqual({
        code: 'INVALID_REQUEST',
        hint: 'docs/schema.graphql describes every call.',
      });
    const unknown = (await ask('{ instance(id: "-~prod~none") { id } }')).body;
    expect([unknown.data.instance, unknown.errors[0].extensions.code]).toEqual([null, 'SERVICE_UNKNOWN']);
  });
});

describe('a record that somebody wrote by hand', () => {
  it('stands for no request that it names: that one waits on, and nobody approves it by the record', async () => {
    const propose =
      'mutation { proposeDeployment(organizationId: "-", instanceId: "-~prod~job", revision: "v1", message: "By hand") { result { id } messages { message } } }';
    const asked = (await ask(propose)).body.data.proposeDeployment;
    expect(asked.messages).toEqual([]);
    const { id } = asked.result;
    const ref = 'refs/backtrail/deployments';
    const paths = (await face.repo.git('ls-tree', '-r', '--name-only', ref)).split('\n');
    const path = paths.find((each) => each.includes(idOf('web v3'))) ?? '';
    const event = readDeploymentEvent(await face.repo.git('show', `${ref}:${path}`), path);
    const deployment = id.replace('rbk', 'dep');
    const rollbackOf = { request: id, commit: event.opening?.commit ?? '', version: 1 };
    const forged = {
      ...event,
      id: event.id.replace(/.$/, 'Z'),
      deployment,
      opening: event.opening && { ...event.opening, service: 'job', version: 2, rollback: rollbackOf },
    };
    await face.repo.git('update-ref', 'refs/heads/by-hand', ref);
    await face.repo.replay(
      [{ files: { [deploymentPath(forged)]: printDeploymentEvent(forged) } }],
      'by-hand',
    );
    await face.repo.git('update-ref', ref, 'refs/heads/by-hand');
    const nodes = '{ instance(id: "-~prod~job") { deployments { nodes { id status } } } }';
    const listed = (await ask(nodes)).body.data.instance.deployments.nodes;
    expect(listed).toEqual(
      expect.arrayContaining([
        { id, status: 'PROPOSED' },
        { id: deployment, status: 'COMPLETED' },
      ]),
    );
    const shown = `{ deployment(organizationId: "-", id: "${id}") { status } }`;
    expect((await ask(shown)).body.data.deployment.status).toBe('PROPOSED');
    const voted = (await ask(APPROVE, { id: deployment }, face.bob)).body.data.approveDeployment;
    expect([voted.successful, voted.messages[0].code]).toEqual([false, 'REQUEST_UNKNOWN']);
    await face.jane.post(`/api/v1/rollbacks/${id}/cancel`, {});
  });
});

describe('/graphql', () => {
  it('refuses what is no call of it, before and in GraphQL', async () => {
    expect((await face.jane.post('/graphql', { query: '{ __typename }' }, { token: null })).status).toBe(401);
    expect((await face.jane.get('/graphql?query={__typename}')).status).toBe(405);
    const foreign = { headers: { origin: 'https://evil.example' } };
    expect((await face.jane.post('/graphql', { query: '{ __typename }' }, foreign)).body.code).toBe(
      'ORIGIN_FOREIGN',
    );
    const refused = async (query: string) => (await ask(query)).body.errors[0].message;
    const deep = `{ instance(id: "-~prod~web") { ${'deployments { nodes { '.repeat(6)} id ${'} } '.repeat(6)} } }`;
    expect(await refused(deep)).toMatch(/depth limit/);
    const aliases = Array.from({ length: 16 }, (_, at) => `a${at}: instance(id: "-~prod~web") { id }`).join(
      ' ',
    );
    expect(await refused(`{ ${aliases} }`)).toMatch(/Aliases limit/);
    expect(await refused(`{ ${'__typename '.repeat(1000)} }`)).toMatch(/Token limit/);
    const costly = `{ instance(id: "-~prod~web") { ${['a', 'b', 'c', 'd'].map((name) => `${name}: deployments(first: 100) { nodes { id version message status commit digest } edges { node { id version message status commit digest } } }`).join(' ')} } }`;
    expect(await refused(costly)).toMatch(/Cost limit/);
    expect(await refused('subscription { a }')).toMatch(/subscription/);
    expect(await refused('{ deployment(organizationId: "-", id: "dep-1") { id } }')).toMatch(
      /A UUID is dep- or rbk-/,
    );
    const batch = await face.jane.post('/graphql', [{ query: '{ __typename }' }]);
    expect(batch.body.errors[0].message).toMatch(/[Bb]atch/);
    const circular = `{ __schema { types { ${'fields { type { '.repeat(6)} name ${'} } '.repeat(6)} } } }`;
    expect(await refused(circular)).toMatch(/[Ii]ntrospection depth/);
  });

  it('describes itself as docs/schema.graphql does, unless the server is told not to', async () => {
    expect(readFileSync('docs/schema.graphql', 'utf8')).toBe(SCHEMA);
    const types = '{ __schema { mutationType { fields { name } } } }';
    const { mutationType } = (await ask(types)).body.data['__schema'];
    expect(mutationType.fields.map(({ name }: { name: string }) => name)).toEqual([
      'rollbackDeployment',
      'proposeDeployment',
      'planDeployment',
      'approveDeployment',
      'rejectDeployment',
    ]);
    const { NO_CONFIGURATION } = await import('../../../server/settings/configuration.ts');
    const settings = { configuration: { ...NO_CONFIGURATION, graphql: { introspection: false } } };
    const quiet = await startApi(face.engine, { settings });
    expect((await ask(types, {}, quiet)).body.errors[0].message).toMatch(/introspection/i);
    const misspelt = '{ instanc(id: "-~prod~web") { id } }';
    const filter =
      'query ($s: DeploymentStatus) { instance(id: "-~prod~web") { deployments(filter: { status: $s }) { totalCount } } }';
    for (const [query, variables] of [
      [misspelt, {}],
      [filter, { s: 'COMPLETE' }],
    ] as const) {
      expect((await ask(query, variables)).body.errors[0].message).toMatch(/Did you mean/);
      expect((await ask(query, variables, quiet)).body.errors[0].message).not.toMatch(
        /Did you mean|COMPLETED/,
      );
    }
    const without = await startApi(face.engine, {
      settings: { configuration: { ...NO_CONFIGURATION, graphql: null } },
    });
    expect((await without.post('/graphql', { query: '{ __typename }' })).status).toBe(404);
  });
});
