import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { backtrail } from '../../helpers/program/cli.ts';
import { diagnose } from '../../helpers/program/doctor.ts';
import { copyRepo, createRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { allowedSigners, createIdentity, type Identity } from '../../helpers/people/signing.ts';

const LAYOUT = 'version: 1\nlayout: { service: [ "t/{tenant}/{environment}/{service}.yaml" ] }\n';
const FILES = {
  't/acme/production/web.yaml': 'image: v1\n',
  't/acme/staging/web.yaml': 'image: v1\n',
  't/globex/production/web.yaml': 'image: v1\n',
};
const ONE = '{ match: "*/production", approvers: { users: [bob@example.com] } }';

async function repoWith(policy: string): Promise<Repo> {
  const repo = await createRepo();
  await repo.commit({ '.backtrail/config.yaml': `${LAYOUT}policy: ${policy}\n`, ...FILES });
  return repo;
}

let bob: Identity;
let bobsKey: Readonly<Record<string, string>>;
let gated: Repo;
beforeAll(async () => {
  bob = await createIdentity({ name: 'Bob', email: 'bob@example.com' });
  bobsKey = { BACKTRAIL_ALLOWED_SIGNERS: await allowedSigners([bob]) };
  gated = await repoWith(`{ environments: [ ${ONE} ] }`);
});

describe('freeze windows', () => {
  const always = (rollbacks: string) =>
    `{ windows: [ { match: "acme/production", cron: "* * * * *", duration: 1d, rollbacks: ${rollbacks} } ] }`;
  it.each([
    ['bound', 'warn', /^Changes are frozen: acme\/production until \S+Z, rollbacks too\.$/],
    ['exempt', 'ok', /^Changes are frozen: acme\/production until \S+Z, rollbacks exempt\.$/],
  ])(
    'that cover now are named, and are a warning where rollbacks are %s: %s',
    async (rollbacks, status, message) => {
      const found = await diagnose(await repoWith(always(rollbacks)));
      expect(found.one('windows')).toMatchObject({ status, message: expect.stringMatching(message) });
    },
  );
});

describe('a policy in order', () => {
  it('is summed up, and neither keys nor pushes are anything to look at', async () => {
    const found = await diagnose(gated, { env: { ...bob.env, ...bobsKey } });
    expect(found.code).toBe(0);
    expect(found.one('policy')).toMatchObject({
      status: 'ok',
      message: '2 of 3 environments ask for approval; rollbacks of acme/staging need none.',
    });
    expect(found.one('signers')).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('1 key of '),
    });
    expect(found.one('signing')).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('are signed'),
    });
    expect(found.one('trust')).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('signed approvals'),
    });
  });

  it('is told to people with the keys among what this machine has', async () => {
    const { stdout } = await backtrail(gated, ['doctor'], { env: bobsKey });
    const [machine = '', , configuration = ''] = stdout.split('\n\n');
    expect(machine).toMatch(/^This machine\n[^]* {2}✓ signers {2,}Approvals count by 1 key of /);
    expect(configuration).toMatch(/^Configuration\n[^]* {2}✓ policy {2,}2 of 3 environments/);
  });

  it('needs no keys where nothing asks for approval', async () => {
    const repo = await repoWith('{ environments: [ { match: "**", quorum: 0 } ] }');
    const found = await diagnose(repo);
    expect([found.of('signers'), found.of('signing')]).toEqual([[], []]);
    expect(found.one('policy').message).toBe('0 of 3 environments ask for approval.');
    expect(found.one('trust').status).toBe('warn');
  });
});

describe('a policy that nobody can satisfy', () => {
  it('blocks, once for each entry, saying why', async () => {
    const repo = await repoWith(
      '{ environments: [ { match: "*/production", quorum: 2, approvers: { users: [bob@example.com] } }, { match: "**", approvers: { groups: [sre] } } ], groups: { sre: [] } }',
    );
    const found = await diagnose(repo, { env: bobsKey });
    expect(found.code).toBe(3);
    expect(found.of('policy')).toMatchObject([
      {
        status: 'fail',
        message:
          'acme/production needs 2 approvals, and only bob@example.com can give one. The same holds for globex/production.',
        hint: expect.stringContaining('"*/production"'),
        details: { environments: ['acme/production', 'globex/production'] },
      },
      {
        status: 'fail',
        message: 'acme/staging needs 1 approval, and nobody can give one: nobody is in sre.',
      },
    ]);
  });

  it('is found behind permissions, too', async () => {
    const repo = await repoWith(
      `{ environments: [ ${ONE} ], permissions: [ { allow: [deploy], users: [bob@example.com], in: ["acme/*"] } ] }`,
    );
    expect((await diagnose(repo, { env: bobsKey })).one('policy')).toMatchObject({
      status: 'fail',
      message:
        'globex/production needs 1 approval, and nobody can give one: bob@example.com may not deploy there.',
    });
  });
});

describe('patterns of a policy', () => {
  it('that match no environment are named, with the one that was meant', async () => {
    const repo = await repoWith(
      '{ environments: [ { match: "*/prodution" }, { match: "acme/stag*" } ], permissions: [ { allow: [admin], users: [bob@example.com], in: ["**", "initech/*"] } ] }',
    );
    const found = await diagnose(repo, { env: bobsKey });
    expect(found.code).toBe(0);
    expect(found.of('policy')).toMatchObject([
      {
        status: 'warn',
        message: 'policy.environments.0: "*/prodution" matches no environment.',
        hint: 'Did you mean "*/production"? That one does match.',
      },
      { status: 'warn', message: 'policy.permissions.0: "initech/*" matches no environment.' },
    ]);
  });

  it('that only match what earlier entries took are named', async () => {
    const repo = await repoWith(
      '{ environments: [ { match: "acme/*" }, { match: "globex/*" }, { match: "*/production", quorum: 2 } ] }',
    );
    expect((await diagnose(repo, { env: bobsKey })).one('policy')).toMatchObject({
      status: 'warn',
      message:
        'policy.environments.2: "*/production" takes effect nowhere: earlier entries match all that it does (acme/production, globex/production).',
    });
  });
});

describe('trust', () => {
  it('is push access where approvals count that nobody signed', async () => {
    const repo = await repoWith('{ environments: [ { match: "**", unsignedApprovals: true } ] }');
    const found = await diagnose(repo);
    expect(found.one('trust')).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(/^trust: push-access\. For "\*\*" approvals count that no key proves/),
    });
    expect(found.of('signers')).toEqual([]);
  });

  it('is less where a request need not be signed', async () => {
    const repo = await repoWith('{ environments: [ { match: "**", unsignedRequests: true } ] }');
    expect((await diagnose(repo)).one('trust')).toMatchObject({
      status: 'warn',
      message: expect.stringContaining('ask in another name, and then approve'),
      details: { unsignedRequests: ['**'] },
    });
  });

  it('needs own keys of people where no other counts, and says where too few have one', async () => {
    const strict = `approvers: { users: [bob@example.com, carol@example.com, dan@example.com] }, signedBy: person`;
    const repo = await repoWith(
      `{ people: [[carol@example.com, carol@corp.example]], environments: [ { match: "*/production", quorum: 2, ${strict} }, { match: "*/staging", ${strict} } ] }`,
    );
    const file = join(await temporaryFolder(), 'signers');
    const server = `*@example.com namespaces="git" ${bob.publicKey}`;
    const env = { ...bob.env, BACKTRAIL_ALLOWED_SIGNERS: file };
    const told = async (...more: string[]) => {
      await writeFile(file, `${[server, ...more].join('\n')}\n`);
      return (await diagnose(repo, { env })).one('signers');
    };
    // A server signs for all of them, and nobody else's key is there.
    const none = await told();
    expect(none).toMatchObject({
      status: 'warn',
      details: { withoutOwnKey: ['bob@example.com', 'carol@example.com', 'dan@example.com'] },
    });
    expect(none.message).toContain(
      'acme/production, globex/production, where only own keys count (`signedBy: person`): approvals by bob@example.com, carol@example.com, dan@example.com do not count, and the quorum of 2 cannot be reached, as no approver has a key of their own',
    );
    // By another email of the same person.
    const one = await told(`carol@corp.example namespaces="git" ${bob.publicKey}`);
    expect(one.details).toMatchObject({ withoutOwnKey: ['bob@example.com', 'dan@example.com'] });
    expect(one.message).toContain('the quorum of 2 cannot be reached, as only 1 approver has a key');
    expect(one.message).toContain('acme/staging, where only own keys count');
    expect(one.message.match(/cannot be reached/g)).toHaveLength(1);
    const all = ['bob', 'carol', 'dan'].map(
      (name) => `${name}@example.com namespaces="git" ${bob.publicKey}`,
    );
    expect((await told(...all)).status).toBe('ok');
  });

  it('needs the keys of those who ask as well, and names who has none', async () => {
    const repo = await repoWith(
      `{ environments: [ ${ONE} ], permissions: [ { allow: [propose], users: [jane@example.com], in: ["**"] }, { allow: [deploy], users: [bob@example.com], in: ["**"] } ] }`,
    );
    const found = await diagnose(repo, { env: bobsKey });
    expect(found.one('signers')).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(
        /holds no key of jane@example\.com: what they ask for is not executed here\.$/,
      ),
      details: { without: ['jane@example.com'] },
    });
    expect(found.one('signing').message).toContain('nobody can ask here for a rollback');
  });

  it('is for a place, and says where none is named, or another one than this', async () => {
    const repo = await repoWith(`{ environments: [ ${ONE} ] }`);
    const own = repo.folder;
    const missing = (await diagnose(repo)).one('place');
    expect(missing).toMatchObject({
      status: 'warn',
      hint: expect.stringContaining(`\`repository: ${own}\``),
    });
    const config = await repo.git('show', 'main:.backtrail/config.yaml');
    const naming = (where: string) =>
      repo.commit({
        '.backtrail/config.yaml': `${config}\nrepository: [ git.example.com/acme/config, ${where} ]\n`,
      });
    await naming(`${own}/.git`);
    expect((await diagnose(repo)).one('place')).toMatchObject({
      status: 'ok',
      message: `Requests and votes are for ${own}/.git (main).`,
    });
    await naming('/srv/elsewhere');
    expect((await diagnose(repo)).one('place')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('at home at git.example.com/acme/config, /srv/elsewhere'),
      details: { address: own },
    });
  });

  it('is nowhere without a list of keys, whatever the repository says of itself', async () => {
    const repo = await repoWith(`{ environments: [ ${ONE} ] }`);
    await repo.git('config', 'gpg.ssh.allowedSignersFile', bobsKey['BACKTRAIL_ALLOWED_SIGNERS'] ?? '');
    const found = await diagnose(repo);
    expect(found.one('signers')).toMatchObject({
      status: 'warn',
      message: 'A worker of this machine trusts no key, so no approval counts for it.',
      hint: expect.stringContaining('BACKTRAIL_ALLOWED_SIGNERS=FILE'),
    });
    expect(found.one('signing')).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('not signed'),
    });
  });

  it("is taken from the user's own setting of git, and the variable goes before it", async () => {
    const repo = await repoWith(`{ environments: [ ${ONE} ] }`);
    const home = repo.env['HOME'] ?? '';
    const carol = await createIdentity({ name: 'Carol', email: 'carol@example.com' });
    await writeFile(join(home, 'keys'), `bob@example.com namespaces="git" ${bob.publicKey}\n`);
    await writeFile(repo.globalConfig, '[gpg "ssh"]\n\tallowedSignersFile = ~/keys\n');
    expect((await diagnose(repo)).one('signers')).toMatchObject({
      status: 'ok',
      message: expect.stringContaining(join(home, 'keys')),
    });
    const env = { BACKTRAIL_ALLOWED_SIGNERS: await allowedSigners([carol]) };
    expect((await diagnose(repo, { env })).one('signers').message).toContain('no key of bob@example.com');
  });

  it('finds the key of an approver in any letters, and among several emails of a line', async () => {
    const file = join(await temporaryFolder(), 'signers');
    await writeFile(file, `# keys\n\n"x@example.com,Bob@Example.com" ${bob.publicKey}\n`);
    const found = await diagnose(gated, { env: { BACKTRAIL_ALLOWED_SIGNERS: file } });
    expect(found.one('signers').status).toBe('ok');
  });

  it('warns of a list that is missing, empty, a folder, or lies where others push', async () => {
    const folder = await temporaryFolder();
    const copy = await copyRepo(gated);
    const inside = join(copy.folder, 'signers');
    await writeFile(join(folder, 'empty'), '# nobody yet\n');
    await mkdir(join(folder, 'folder'));
    await writeFile(inside, `bob@example.com ${bob.publicKey}\n`);
    const message = async (file: string) => {
      const found = await diagnose(copy, { env: { BACKTRAIL_ALLOWED_SIGNERS: file } });
      expect(found.one('signers').status).toBe('warn');
      return found.one('signers').message;
    };
    expect(await message(join(folder, 'missing'))).toMatch(/missing cannot be read: no approval counts\.$/);
    expect(await message(join(folder, 'folder'))).toMatch(/folder cannot be read/);
    expect(await message(join(folder, 'empty'))).toMatch(/empty is empty, so no approval counts here\.$/);
    expect(await message(inside)).toMatch(/signers lies in the repository: whoever may push/);
    expect(await message('signers')).toMatch(/lies in the repository/);
  });

  it('leaves the rest of the checks alone where git itself is missing', async () => {
    const bin = join(await temporaryFolder(), 'bin');
    await mkdir(bin);
    const found = await diagnose(gated, { env: { ...bobsKey, PATH: bin } });
    expect(found.one('git').status).toBe('fail');
    expect(found.one('policy').status).toBe('ok');
    expect(found.checks.filter(({ status }) => status === 'fail').map(({ name }) => name)).toEqual(['git']);
  });
});

describe('the ref of a ledger', () => {
  it.each(['refs/heads/main', 'refs/heads/main/ledger'])('is refused beside the branch: %s', async (ref) => {
    const repo = await createRepo();
    await repo.commit({ '.backtrail/config.yaml': `${LAYOUT}ledger: { ref: ${ref} }\n`, ...FILES });
    const { code, stderr } = await backtrail(repo, ['environments']);
    expect(code).toBe(2);
    expect(stderr).toContain(`ledger.ref: ${ref} conflicts with the branch main.`);
    expect((await diagnose(repo)).one('config').details).toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
