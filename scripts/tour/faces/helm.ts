/** The Helm-shaped face, with curl. */
import type { Example, Face, FaceStep } from './face.ts';

const RELEASES = '/api/v1/helm/releases';
const STAGING = `${RELEASES}/acme~staging~checkout`;
const PRODUCTION = `${RELEASES}/checkout-prod`;
const WITHOUT_COMMITS = ['0', '1', '2'];
const core = (environment: string, targetSha: string) =>
  ({
    who: 'JANE',
    method: 'POST',
    path: '/api/v1/rollbacks',
    body: {
      tenant: 'acme',
      environment,
      service: 'checkout',
      targetSha,
      justification: 'It is slow',
    },
  }) as const;

const STEPS: readonly FaceStep[] = [
  {
    text: 'The history of a release has the keys of `helm history -o json`.',
    who: 'JANE',
    path: `${STAGING}/history`,
    status: 200,
    show: WITHOUT_COMMITS,
    holds: { '0.description': 'Install complete' },
    core: { who: 'JANE', path: '/api/v1/environments/acme/staging/services/checkout/history' },
  },
  {
    text: 'Staging needs no approval: the answer waits up to 30 seconds for the rollback, and is 202 where that takes longer.',
    who: 'JANE',
    method: 'POST',
    path: `${STAGING}/rollback`,
    body: { targetRevision: 1, justification: 'It is slow' },
    status: 200,
    show: ['release', 'revision', 'updated', 'status', 'chart', 'app_version', 'description', 'request.id'],
    holds: { status: 'DEPLOYED', description: 'Rollback to 1', 'request.status': 'completed' },
    core: core('staging', 'v1'),
  },
  {
    text: 'It is the next revision, and what it replaced is superseded.',
    who: 'JANE',
    path: `${STAGING}/history?max=2`,
    status: 200,
    holds: { '0.status': 'SUPERSEDED', '1.status': 'DEPLOYED', '1.description': 'Rollback to 1' },
  },
  {
    text: 'Production needs one: 202, with the request. `checkout-prod` is a name of `helm.releases` in the server’s configuration.',
    who: 'JANE',
    method: 'POST',
    path: `${PRODUCTION}/rollback/last-successful`,
    body: { justification: 'It is slow' },
    status: 202,
    keep: { HELM: 'request.id' },
    show: [
      'release',
      'revision',
      'status',
      'description',
      'request.id',
      'request.status',
      'request.approval',
    ],
    holds: { status: 'PENDING_ROLLBACK', 'request.status': 'pending' },
    core: core('production', 'last-successful'),
  },
  {
    text: 'Bob approves it, as he would any other.',
    who: 'BOB',
    method: 'POST',
    path: '/api/v1/rollbacks/$HELM/approve',
    body: {},
    status: 200,
    show: ['id', 'status'],
    holds: { status: 'completed' },
  },
  {
    text: 'A revision that is not in the history is a mistake in the call.',
    who: 'JANE',
    method: 'POST',
    path: `${PRODUCTION}/rollback`,
    body: { targetRevision: 99 },
    status: 400,
    show: ['title', 'status', 'detail', 'code', 'hint'],
    holds: { code: 'INVALID_REQUEST' },
  },
];

export const helm: Face = {
  title: 'As Helm has it',
  text: `A release is a service, and its revisions are vN of its history. \`releaseId\` is \`tenant~environment~service\`, with \`-\` for no tenant, or a name of the
server's configuration; a service whose names hold a \`~\` needs such a name:

\`\`\`yaml
helm: { releases: { checkout-prod: acme/production/checkout } }
\`\`\`

A rollback brings chart and values back as they were, byte for byte, and is the next revision. It is asked for with \`targetRevision\`, and with whatever else
[the API](api.md) takes: \`justification\`, \`digest\`, \`allowRemoval\`, \`override\`, \`hold\`, \`holdFor\`, \`propose\`. A rollback of the release that waits gives way to a later one;
while a worker executes one, others are refused (409, \`SCOPE_BUSY\`). After one that failed, this revision or another can be asked for at once.

| status | of a revision that |
|---|---|
| \`DEPLOYED\` | runs, as Git has it |
| \`SUPERSEDED\` | ran before, also where it was rolled back |
| \`FAILED\` | is recorded as failed; as the last one, also a rollback whose execution failed |
| \`PENDING_ROLLBACK\` | is the last one: a rollback that waits for approval, is executed, or is recorded as pending. One that nobody has to approve may be published at once, and is then never seen so |
| \`PENDING_INSTALL\`, \`PENDING_UPGRADE\` | runs, and is recorded as pending |
| \`UNINSTALLED\` | is recorded as decommissioned |

\`chart\` is \`name-version\` of what the revision names, \`app_version\` the tag of its first image. A rollback that waits or failed has the number that the next revision will have.`,
  calls: [
    [
      '`GET …/helm/releases/{releaseId}/history?max=`',
      '`GET …/services/{service}/history`, and the newest of `GET /api/v1/rollbacks`',
    ],
    [
      '`POST …/rollback` `{ targetRevision }`',
      '`POST /api/v1/rollbacks` with `targetSha: "v<targetRevision>"`',
    ],
    ['`POST …/rollback/last-successful`', '`POST /api/v1/rollbacks` with `targetSha: "last-successful"`'],
  ],
  prepare: () =>
    Promise.resolve({ configuration: 'helm: { releases: { checkout-prod: acme/production/checkout } }\n' }),
  run: async ({ take }) => {
    const examples: Example[] = [];
    for (const step of STEPS) examples.push(await take(step));
    return examples;
  },
};
