/** The GraphQL face: documents as clients send them. */
import { say } from '../../narrate.ts';
import { claim } from '../run.ts';
import type { Example, Face, Stage } from './face.ts';

const SCOPE = { tenant: 'acme', environment: 'production', service: 'notifications' };
const INSTANCE = 'acme~production~notifications';
const DEPLOYMENTS = '/api/v1/deployments';

const LAST_GOOD = `query LastGoodDeployment($instanceId: ID!) {
  instance(id: $instanceId) {
    deployments(first: 5, filter: { action: PROVISION, status: COMPLETED }, sortBy: CREATED_AT, sortOrder: DESC) {
      edges { node { id version message createdAt } }
    }
  }
}`;
const ROLLBACK = `mutation Rollback($orgId: ID!, $sourceDeploymentId: UUID!) {
  rollbackDeployment(organizationId: $orgId, id: $sourceDeploymentId) {
    successful
    result { id status action message rollbackOf { id version } }
    messages { field message }
  }
}`;
const APPROVE = `mutation Approve($orgId: ID!, $id: UUID!, $message: String) {
  approveDeployment(organizationId: $orgId, id: $id, message: $message) {
    successful
    result { id status version pinned }
    messages { field message }
  }
}`;

export const graphql: Face = {
  title: 'GraphQL',
  text: `\`POST /graphql\` takes one document at a time; [schema.graphql](schema.graphql) is its schema, which it also tells by introspection: whoever may call may know it, as it is public here.
\`graphql: { introspection: false }\` in the server's configuration keeps it to itself, \`graphql: false\` takes the call away. There are no batches, no persisted queries, no subscriptions, and no calls by GET;
a document has at most 1,000 tokens, 15 aliases, a depth of 10 and a cost of 20,000.

An instance is a service: \`tenant~environment~service\`, \`-\` for no tenant, or a name of \`helm.releases\`. \`organizationId\` is the tenant. A deployment is a record (\`dep-…\`), or a request for a rollback (\`rbk-…\`),
which keeps that id when it is on record. \`deployed\` and \`rolled_back\` are COMPLETED; \`decommissioned\` is COMPLETED, with the action DECOMMISSION.

Whatever it asks for is proposed, and never carried out before somebody approves it. A rollback to a deployment holds what it restores from the moment in which it is carried out
([holds](holds.md)), unless \`hold: false\`; \`proposeDeployment\` holds nothing. The permission \`propose\` of the policy is \`instance:propose\`, and \`deploy\` is \`instance:deploy\`; one person may have both.
Failures are \`messages\`, each by the name of its input, with \`code\` and \`hint\`; queries without them have GraphQL errors with \`extensions.code\`. Who is not known gets a problem document.
\`Idempotency-Key\` makes each mutation of a document once.`,
  calls: [
    [
      '`instance { deployments }`',
      '`GET /api/v1/deployments` and `GET /api/v1/rollbacks` of the scope, as one list',
    ],
    ['`planDeployment`', '`POST /api/v1/plans`, or `GET /api/v1/rollbacks/{id}/plan` of what is proposed'],
    [
      '`rollbackDeployment`',
      '`POST /api/v1/rollbacks` with `propose: true`, `hold: true` and the commit of the deployment',
    ],
    ['`proposeDeployment`', '`POST /api/v1/rollbacks` with `propose: true`, `hold: false`'],
    ['`approveDeployment`, `rejectDeployment`', '`POST /api/v1/rollbacks/{id}/approve`, `/reject`'],
  ],
  run: async (stage) => {
    for (const [commit, note] of [
      ['v2', 'Release 1'],
      ['HEAD', 'Release 2'],
    ])
      await called(stage, 'JANE', DEPLOYMENTS, { ...SCOPE, status: 'deployed', commit, note });
    const listed = await ask(stage, 'JANE', LAST_GOOD, { instanceId: INSTANCE });
    const edges = at(listed, 'data', 'instance', 'deployments', 'edges');
    claim(
      Array.isArray(edges) && edges.length === 2,
      `Two deployments are COMPLETED: ${JSON.stringify(listed)}`,
    );
    const id = at(edges, '1', 'node', 'id');
    const variables = { orgId: 'acme', sourceDeploymentId: id };
    const asked = await ask(stage, 'JANE', ROLLBACK, variables);
    const result = at(asked, 'data', 'rollbackDeployment', 'result');
    claim(at(result, 'status') === 'PROPOSED', `It is proposed: ${JSON.stringify(asked)}`);
    const vote = { orgId: 'acme', id: at(result, 'id'), message: 'Release 1 served well' };
    const approved = await ask(stage, 'BOB', APPROVE, vote);
    const done = at(approved, 'data', 'approveDeployment', 'result', 'status');
    claim(done === 'COMPLETED', `It is carried out: ${JSON.stringify(approved)}`);
    const wrong = await ask(stage, 'JANE', ROLLBACK, { ...variables, orgId: 'globex' });
    claim(at(wrong, 'data', 'rollbackDeployment', 'successful') === false, 'Another organization is refused');
    return [
      shown(
        'The deployments of an instance that went well, newest first.',
        LAST_GOOD,
        { instanceId: INSTANCE },
        listed,
        {
          call: `GET ${DEPLOYMENTS}?tenant=acme&environment=production&service=notifications`,
        },
      ),
      shown('Back to the one before. It waits, in production as elsewhere.', ROLLBACK, variables, asked, {
        call: 'POST /api/v1/rollbacks',
        body: {
          ...SCOPE,
          targetSha: '…',
          propose: true,
          hold: true,
          justification: String(at(result, 'message')),
        },
      }),
      shown('Bob approves it, and a worker carries it out.', APPROVE, vote, approved, {
        call: 'POST /api/v1/rollbacks/rbk-…/approve',
        body: { comment: vote.message },
      }),
      shown(
        'What cannot be is said by the name of the input.',
        ROLLBACK,
        { ...variables, orgId: 'globex' },
        wrong,
      ),
    ];
  },
};

function shown(
  text: string,
  query: string,
  variables: object,
  answer: unknown,
  core?: { readonly call: string; readonly body?: object },
): Example {
  const given = Object.entries(variables).map(([name, value]) => `# $${name} = ${JSON.stringify(value)}`);
  return {
    text,
    call: { language: 'graphql', code: [...given, query].join('\n') },
    answer: { language: 'json', code: JSON.stringify(answer, null, 2) },
    ...(core && {
      core: {
        language: 'http',
        code: [core.call, ...(core.body ? ['', JSON.stringify(core.body, null, 2)] : [])].join('\n'),
      },
    }),
  };
}

async function ask(stage: Stage, who: 'JANE' | 'BOB', query: string, variables: object): Promise<unknown> {
  say(`${query}\n${JSON.stringify(variables)}`);
  const answer = await called(stage, who, '/graphql', { query, variables });
  say(`${JSON.stringify(answer, null, 2)}\n`);
  return answer;
}

async function called(stage: Stage, who: 'JANE' | 'BOB', path: string, body: object): Promise<unknown> {
  const response = await fetch(`${stage.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stage.tokens[who]}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  claim(response.ok, `POST ${path} was answered ${response.status}: ${JSON.stringify(answer)}`);
  return answer;
}

/** What stands there, or undefined. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null
        ? Object.entries(inner).find(([name]) => name === key)?.[1]
        : undefined,
    value,
  );
}
