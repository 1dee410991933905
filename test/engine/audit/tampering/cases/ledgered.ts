/** Rollbacks with a record in the ledger: votes, break-glass, batches, manifests that were approved, signed commits. */
import { appendFile } from 'node:fs/promises';
import type { Actor, Engine, RequestView } from '../../../../../engine/internal.ts';
import { createTeam, engineFor } from '../../../../helpers/people/requests.ts';
import { allowedSigners, createIdentity } from '../../../../helpers/people/signing.ts';
import { engineOf, SERVICE } from '../../../../helpers/repositories/engine.ts';
import { createRepo, type Files } from '../../../../helpers/repositories/repo.ts';
import { type Case, DELIVERY, keysWith, type Story } from '../case.ts';
import { diary } from './diary.ts';

const SERVICES = ['api', 'two', 'glass', 'field', 'kind', 'first', 'middle', 'last', 'signed', 'web'];

const configOf = (more: object = {}): Files => ({
  '.backtrail/config.yaml': `${JSON.stringify({
    version: 1,
    layout: { service: ['apps/{environment}/{service}/**'] },
    keep: [],
    policy: {
      environments: [
        { match: 'prod', quorum: 1, breakGlass: { allowed: true, longest: '1h' } },
        { match: 'double', quorum: 2 },
        { match: 'own', quorum: 1, signedBy: 'person' },
      ],
      people: [['bob@example.com', 'bob@corp.example']],
    },
    ...more,
  })}\n`,
});

const MANIFEST = (name: string, tag: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { v: "${tag}" }\n`;

const filesAt = (tag: string): Files => ({
  ...Object.fromEntries(
    SERVICES.map((name) => [`apps/prod/${name}/app.yaml`, `image: ${tag}\nreplicas: 1\n`]),
  ),
  'apps/prod/kind/app.yaml': `kind: ${tag === 'v1' ? 'Deployment' : 'StatefulSet'}\nimage: ${tag}\n`,
  'apps/prod/field/app.yaml': `image: ${tag} # {"$imagepolicy": "flux-system:field:tag"}\nreplicas: 1\n`,
  'apps/prod/api/run.sh': { executable: `echo ${tag}\n` },
  'apps/double/api/app.yaml': `image: ${tag}\n`,
  'apps/double/served/app.yaml': `image: ${tag}\n`,
  'apps/own/api/app.yaml': `image: ${tag}\n`,
  'apps/free/api/app.yaml': `image: ${tag}\n`,
  'apps/prod/out/map.yaml': MANIFEST('out', tag),
  'README.md': `${tag}\n`,
});

const approved = {
  kind: 'rollback',
  how: 'push',
  isDemanded: true,
  hasLedger: true,
  hasVotes: true,
  trailers: keysWith(['Approval', 'Rollback-Ledger']),
  neighbour: 'web',
} as const satisfies Partial<Case>;
const ISSUER = 'https://login.example.com';

/** As a server hands somebody over whom it knows: by a token, or by an issuer. */
const known = (name: string, by: string) => ({
  name,
  email: `${name}@example.com`,
  authenticated: { how: by === ISSUER ? ('oidc' as const) : ('token' as const), by },
});

const appOf = (service: string) => `apps/prod/${service}/app.yaml`;

const CASES: readonly Case[] = [
  {
    ...approved,
    name: 'approved',
    what: 'approved by one',
    restored: appOf('api'),
    executable: 'apps/prod/api/run.sh',
    other: 'apps/prod/api/run.sh',
  },
  { ...approved, name: 'quorum', what: 'approved by two', restored: 'apps/double/api/app.yaml' },
  {
    ...approved,
    name: 'break-glass',
    what: 'by break-glass, with a ticket',
    trailers: keysWith(['Rollback-Break-Glass', 'Rollback-Ledger']),
    hasVotes: false,
    restored: appOf('glass'),
  },
  {
    ...approved,
    name: 'recorded',
    what: 'recorded where nobody has to approve it',
    trailers: keysWith(['Rollback-Ledger']),
    isDemanded: false,
    hasVotes: false,
    restored: 'apps/free/api/app.yaml',
  },
  {
    ...approved,
    name: 'approved override',
    what: 'approved, over a check that blocks it',
    trailers: keysWith(['Approval', 'Rollback-Override', 'Rollback-Ledger']),
    restored: appOf('kind'),
  },
  {
    ...approved,
    name: 'approved field',
    what: 'one field, approved, with a hold',
    trailers: keysWith(['Approval', 'Rollback-Field', 'Rollback-Ledger', 'Rollback-Hold']),
    restored: appOf('field'),
    part: [appOf('field'), 'replicas: 1'],
    places: true,
  },
  {
    kind: 'resume',
    how: 'push',
    name: 'approved resume',
    what: 'its hold is lifted, approved',
    trailers: [
      'Justification',
      'Author',
      'Approval',
      'Resume-Hold',
      'Resume-Request-ID',
      'Resume-Plan',
      'Resume-Ledger',
    ],
    isDemanded: true,
    hasLedger: true,
    hasVotes: true,
    restored: appOf('field'),
  },
  {
    ...approved,
    name: 'first of three',
    what: 'the first of a batch',
    restored: appOf('first'),
    isFollowed: true,
  },
  { ...approved, name: 'last of three', what: 'the last of a batch', restored: appOf('last') },
  {
    ...approved,
    name: 'approved manifests',
    what: 'approved with its manifests',
    restored: 'apps/prod/out/map.yaml',
    delivery: DELIVERY,
    output: 'out/prod/out.yaml',
  },
  {
    ...approved,
    name: 'signed',
    what: 'approved, and its commit signed',
    restored: appOf('signed'),
    isSigned: true,
  },
  {
    ...approved,
    name: 'served',
    what: 'asked for and approved by two through a server',
    restored: 'apps/double/served/app.yaml',
    neighbour: 'api',
    isServed: true,
  },
  {
    ...approved,
    name: 'own key',
    what: 'approved where only keys of people count',
    restored: 'apps/own/api/app.yaml',
    needsOwnKey: true,
  },
];

export const LEDGERED: Story = {
  name: 'ledgered',
  cases: CASES,
  isLong: true,
  async build() {
    const repo = await createRepo({ bare: true });
    await repo.replay([{ files: { ...configOf(), ...filesAt('v1') } }, { files: filesAt('v2') }]);
    const { jane, bob, carol } = await createTeam();
    const worker = await createIdentity(SERVICE);
    const server = await createIdentity({ name: 'Server', email: 'server@ops.example' });
    const signers = await allowedSigners([jane, bob, carol, worker]);
    const patterns = '*@example.com,*@corp.example,!eve@example.com';
    await appendFile(signers, `${patterns} namespaces="git" ${server.publicKey}\n`);
    const options = { allowedSigners: signers, lives: 'file' } as const;
    const [janes, bobs, carols, serves, works] = await Promise.all([
      engineFor(repo, jane, options),
      engineFor(repo, bob, options),
      engineFor(repo, carol, options),
      engineFor(repo, server, options),
      engineOf(repo, options),
    ]);
    const author = { name: jane.name, email: jane.email };
    const ask = async (wish: Parameters<Engine['rollbacks']['plan']>[0], as = janes, who: Actor = author) => {
      const plan = await as.rollbacks.plan({ hold: false, ...wish, author: who });
      const { target, digest, fields } = plan;
      const { rendered } = plan.gate;
      const more = { ...(fields && { fields }), ...(rendered !== undefined && { rendered }) };
      const asked = { hold: false, ...wish, ...more, target, digest, author: who, reason: 'v2 answers 500' };
      return as.rollbacks.request(asked);
    };
    const execute = async (id: string, as: Engine = works) => {
      const { commit, deliveryCommit } = await as.requests.executeRequest(id);
      return { requestId: id, commit, deliveryCommit };
    };
    const vote = (id: string): Promise<RequestView> =>
      bobs.requests.approve({ id, actor: bob, comment: 'Go' });
    const { note, done } = diary(repo);
    const approve = async (name: string, wish: Parameters<typeof ask>[0]) => {
      const { requestId } = await ask(wish);
      await vote(requestId);
      await note(name, await execute(requestId));
    };
    await approve('approved', { scope: 'prod/api' });
    const { requestId: two } = await ask({ scope: 'double/api' });
    await vote(two);
    await carols.requests.approve({ id: two, actor: carol });
    await note('quorum', await execute(two));
    await carols.requests.openSession({
      scope: 'prod',
      holder: carol,
      reason: 'Payments are down',
      ticket: 'INC-1',
      minutes: 10,
    });
    const glass = await ask({ scope: 'prod/glass', ledger: true }, carols, {
      name: carol.name,
      email: carol.email,
    });
    await note('break-glass', glass.commit ? glass : await execute(glass.requestId));
    const [session] = (await carols.requests.sessions(carol)).sessions;
    await carols.requests.closeSession({ id: session?.id ?? '', actor: carol });
    const { requestId: free } = await ask({ scope: 'free/api', ledger: true });
    await note('recorded', await execute(free));
    await approve('approved override', { scope: 'prod/kind', override: ['FIXED_FIELD'] });
    await approve('approved field', {
      scope: 'prod/field',
      fields: [`${appOf('field')}#/image`],
      hold: true,
    });
    await approve('approved resume', { scope: 'prod/field', resume: true });
    const { requestId: served } = await ask({ scope: 'double/served' }, serves, known('jane', ISSUER));
    await serves.requests.approve({ id: served, actor: known('bob', 'bbbbbbbbbbbbbbbb') });
    await serves.requests.approve({ id: served, actor: known('carol', 'cccccccccccccccc') });
    await note('served', await execute(served));
    await approve('own key', { scope: 'own/api' });
    const many = [];
    for (const scope of ['prod/first', 'prod/middle', 'prod/last'])
      many.push((await ask({ scope })).requestId);
    for (const id of many) await vote(id);
    const results = await works.rollbacks.executeMany(many.map((id) => ({ id })));
    for (const [name, at] of [
      ['first of three', 0],
      ['last of three', 2],
    ] as const) {
      const result = results.get(many[at] ?? '');
      if (result?.status !== 'fulfilled') throw new Error(name);
      await note(name, result.value);
    }
    const delivery = { output: 'out/{environment}/{service}.yaml' };
    await repo.replay([{ files: configOf({ delivery }) }]);
    await approve('approved manifests', { scope: 'prod/out' });
    await repo.replay([{ files: configOf({ commit: { sign: true } }) }]);
    const { requestId: signed } = await ask({ scope: 'prod/signed' });
    await vote(signed);
    const signing = await engineFor(repo, worker, options);
    await note('signed', await execute(signed, signing));
    return { repo, signers, done, worker, keys: { server, bob } };
  },
};
