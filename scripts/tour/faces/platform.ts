/** The Platform-shaped face, with curl, and the example of a pipeline that uses it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { hasRegistry, pushImage, startRegistry } from '../../../test/helpers/servers/image-registry.ts';
import { say } from '../../narrate.ts';
import { withoutPassing } from '../page.ts';
import { claim } from '../run.ts';
import type { Example, Face, FaceStep, Stage } from './face.ts';

const SCRIPT = fileURLToPath(new URL('../../../examples/pipeline-rollback.sh', import.meta.url));
const ALL = '/api/v1/platform/deployments';
const BILLING = { tenant: 'acme', environment: 'staging', service: 'billing' };
const SHOWN = ['id', 'scope', 'status', 'version', 'imageTag', 'deployedAt', 'rolledBackAt', 'rollbackOf'];
const [BAD, GOOD] = ['1.5.1', '1.5.0'];

const record = (text: string, body: object, more: Partial<FaceStep> = {}): FaceStep => ({
  text,
  who: 'JANE',
  method: 'POST',
  path: ALL,
  body,
  status: 201,
  show: SHOWN,
  ...more,
});

const BEFORE: readonly FaceStep[] = [
  record(
    'A pipeline records what it deployed, with what should be known of it.',
    { ...BILLING, configCommit: 'v4', migrations: '0042 adds a column' },
    {
      holds: { status: 'DEPLOYED', imageTag: GOOD },
      core: {
        who: 'JANE',
        method: 'POST',
        path: '/api/v1/deployments',
        body: {
          ...BILLING,
          commit: 'v4',
          status: 'deployed',
          source: 'pipeline',
          migration: '0042 adds a column',
        },
      },
    },
  ),
  record('The next one …', BILLING, { holds: { imageTag: BAD } }),
  record(
    '… which production runs as well.',
    { ...BILLING, environment: 'production' },
    { holds: { imageTag: BAD } },
  ),
  {
    text: 'Whether a tag was deployed, and how; 200 also where it was not.',
    who: 'JANE',
    path: `${ALL}/tag/${GOOD}/exists?environment=staging`,
    status: 200,
    show: ['exists', 'deployment.id', 'deployment.status', 'deployment.migrations'],
    holds: { exists: true },
    core: { who: 'JANE', path: `/api/v1/deployments/exists?image=${GOOD}` },
  },
  {
    text: 'A tag that runs in several places is not guessed: `?environment=`, `?tenant=` and `?service=` say which is meant.',
    who: 'JANE',
    method: 'POST',
    path: `${ALL}/tag/${BAD}/rollback`,
    status: 409,
    show: ['detail', 'code', 'details'],
    holds: { code: 'DEPLOYMENT_AMBIGUOUS' },
  },
];

const AFTER: readonly FaceStep[] = [
  {
    text: 'The tag is marked now, and a second call answers the same record. The mark is a record and no more: what runs was rolled back by `POST /api/v1/rollbacks`.',
    who: 'JANE',
    method: 'POST',
    path: `${ALL}/tag/${BAD}/rollback?environment=staging`,
    status: 200,
    show: SHOWN,
    holds: { status: 'ROLLED_BACK' },
    core: { who: 'JANE', method: 'PATCH', path: '/api/v1/deployments/$BAD', body: { status: 'rolled_back' } },
  },
  {
    text: 'The redeployment stands on top, and points to the older version.',
    who: 'JANE',
    path: `${ALL}/history?environment=staging&limit=2`,
    status: 200,
    show: ['deployments.0', 'deployments.1'].flatMap((path) => SHOWN.map((name) => `${path}.${name}`)),
    holds: { 'deployments.0.imageTag': GOOD, 'deployments.1.status': 'ROLLED_BACK' },
    core: { who: 'JANE', path: '/api/v1/deployments?tenant=acme&environment=staging&limit=2' },
  },
];

/** What the example does, where it cannot be run. */
const BY_HAND: readonly FaceStep[] = [
  {
    text: 'The mark …',
    who: 'JANE',
    method: 'POST',
    path: `${ALL}/tag/${BAD}/rollback?environment=staging`,
    status: 200,
  },
  {
    text: '… the rollback …',
    who: 'JANE',
    method: 'POST',
    path: '/api/v1/rollbacks',
    body: { ...BILLING, targetSha: 'v4', justification: `${BAD} answers 500` },
    status: 202,
    keep: { PIPELINE: 'requestId' },
  },
  {
    text: '… and its end.',
    who: 'JANE',
    path: '/api/v1/rollbacks/$PIPELINE',
    status: 200,
    polls: true,
    holds: { status: 'completed' },
  },
];

/** What the example prints. */
const PRINTED = `1. Return from ${BAD} to ${GOOD}.
2. It was deployed: dep-….
3. acme/billing:${GOOD} is in the registry.
4. dep-… is ROLLED_BACK since ….
5. rbk-… is completed.
6. It is recorded: dep-….
7. billing runs ${GOOD} in staging.`;

const has = (program: string) => spawnSync(program, ['--version']).status === 0;

async function runExample({ folder, url, tokens }: Stage): Promise<boolean> {
  const missing = [
    ...['bash', 'curl', 'jq'].filter((program) => !has(program)),
    ...(hasRegistry ? [] : ['docker-registry']),
  ];
  if (missing.length > 0) {
    say(`examples/pipeline-rollback.sh: skipped, as ${missing.join(' and ')} is not installed\n`);
    return false;
  }
  const home = join(folder, 'registry');
  mkdirSync(home);
  const registry = await startRegistry({ folder: home });
  const end = () => void registry.close();
  process.once('exit', end);
  try {
    await pushImage(registry.host, 'acme/billing', GOOD);
    const token = join(folder, 'token');
    writeFileSync(token, `${tokens.JANE}\n`, { mode: 0o600 });
    const child = spawn('bash', [SCRIPT, BAD], {
      env: {
        PATH: process.env['PATH'],
        LC_ALL: 'C.UTF-8',
        BACKTRAIL_SERVER: url,
        BACKTRAIL_TOKEN_FILE: token,
        TENANT: BILLING.tenant,
        ENVIRONMENT: BILLING.environment,
        SERVICE: BILLING.service,
        REASON: `${BAD} answers 500`,
        REGISTRY: `http://${registry.host}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'close');
    const [printed, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = await ended;
    say(`$ examples/pipeline-rollback.sh ${BAD}\n${printed}${said}`);
    claim(code === 0, `examples/pipeline-rollback.sh ended with ${String(code)}: ${said}`);
    // How long the rollback takes, and what is seen of it, is another every time.
    const lines = withoutPassing(printed.trimEnd())
      .split('\n')
      .filter((line) => !line.endsWith(' …'));
    claim(lines.join('\n') === PRINTED, 'examples/pipeline-rollback.sh prints something else');
    return true;
  } finally {
    process.removeListener('exit', end);
    await registry.close();
  }
}

const EXAMPLE: Example = {
  title: 'A pipeline',
  text: `[examples/pipeline-rollback.sh](../examples/pipeline-rollback.sh) is the rollback of a pipeline, with \`curl\` and \`jq\`: find what to return to, see that it was deployed
and that its image is still in the registry, mark what is bad, have Backtrail roll back, record that, and look at the result. Where somebody has to approve, it waits; run again after a failure, it goes on.`,
  call: {
    language: 'sh',
    code: `export BACKTRAIL_SERVER="$SERVER" BACKTRAIL_TOKEN_FILE=token REGISTRY=https://registry.example.com
TENANT=acme ENVIRONMENT=staging SERVICE=billing REASON="${BAD} answers 500" examples/pipeline-rollback.sh ${BAD}`,
  },
  answer: { language: '', code: PRINTED },
};

export const platform: Face = {
  title: 'As platforms have it',
  text: `Deployments are found by their image tags, over [records of deployments](deployments.md). A tag is \`v2.1.0\`, \`api:v2.1.0\`, a whole image or a digest, percent-encoded in the address.
Statuses are those of the records in capitals; times, notes and migrations are those of the record as well.

- \`rollback\` takes the newest record that counts and names the tag: the one of the only place that it runs in, or of those that the query leaves. One that is marked already is answered as it is; one that
  was never deployed cannot be marked (409, \`DEPLOYMENT_STATUS\`).
- The same scope and configuration commit are recorded once: 201 the first time, then 200 with the same record, whatever else is said. A rollback that Backtrail made has recorded itself.
- \`rollbackOf\` names the record or the revision that a rollback of the pipeline's own returned to.`,
  calls: [
    ['`GET …/tag/{imageTag}/exists`', '`GET /api/v1/deployments/exists?image=`'],
    ['`POST …/tag/{imageTag}/rollback`', '`PATCH /api/v1/deployments/{id}` with `status: "rolled_back"`'],
    ['`GET …/history?environment=&limit=`', '`GET /api/v1/deployments`'],
    ['`POST /api/v1/platform/deployments`', '`POST /api/v1/deployments`'],
  ],
  run: async (stage) => {
    const examples: Example[] = [];
    for (const step of BEFORE) examples.push(await stage.take(step));
    examples.push(EXAMPLE);
    if (!(await runExample(stage))) for (const step of BY_HAND) await stage.take(step);
    for (const step of AFTER) examples.push(await stage.take(step));
    return examples;
  },
};
