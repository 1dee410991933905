import { execFile, spawn } from 'node:child_process';
import { rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { GitRepository } from '../../../../engine/git/open.ts';
import { temporaryFolder } from '../../../helpers/repositories/repo.ts';
import type { Repo } from '../../../helpers/repositories/repo.ts';
import { allowedSigners, createIdentity } from '../../../helpers/people/signing.ts';
import { append, cloneOf, event, openClone, REF, remote, staged, TIME } from '../ledger/ledger-events.ts';
import { open, PERSON, SERVICE } from '../open.ts';
import { isProof, someOf } from '../../../helpers/run/proof.ts';

/** A repository whose user signs, opened. */
async function signing() {
  const jane = await createIdentity(PERSON);
  const repo = await remote();
  const git = await open({ folder: repo.folder, env: { ...repo.env, ...jane.env } });
  return { jane, repo, git };
}

const states = async (git: GitRepository, ids: readonly string[], list: string | null) => {
  const found = await git.ledger.signatures(ids, list);
  return ids.map((id) => found.get(id)?.state);
};

describe('signed events', () => {
  test.each(someOf(['local', 'mirror', 'clone'] as const, 1))(
    'keep everything else as it is, in a %s, and those after them follow',
    async (kind) => {
      const jane = await createIdentity(PERSON);
      const repo = await remote();
      const env = { ...repo.env, ...jane.env };
      const git =
        kind === 'clone'
          ? await openClone(await cloneOf(repo, env))
          : await open(
              { folder: repo.folder, env },
              { location: kind === 'local' ? repo.folder : `file://${repo.folder}` },
            );
      expect(await git.ledger.signs()).toBe(true);
      const message = 'Approve #1\n\n# no comment\n    Ünï  \n\nEvent: approved\nActor: J <j@x>\n';
      const ids = await append(git, null, [
        event(),
        event({ sign: true, message }),
        event(),
        event({ sign: true, author: SERVICE }),
      ]);
      expect(await repo.git('rev-parse', REF)).toBe(ids.at(-1));
      expect(await repo.git('rev-list', '--reverse', REF)).toBe(ids.join('\n'));
      const list = await allowedSigners([jane]);
      expect(await states(git, ids, list)).toEqual(['none', 'good', 'none', 'good']);
      const seconds = Date.parse(TIME) / 1000;
      const [, id = ''] = ids;
      const raw = await repo.git('cat-file', 'commit', id);
      expect(raw.replace(/^gpgsig (.*\n )*.*\n/m, '')).toBe(
        [
          `tree ${await repo.git('rev-parse', `${id}^{tree}`)}`,
          `parent ${ids[0] ?? ''}`,
          `author Jane Doe <jane@example.com> ${seconds} +0000`,
          `committer Backtrail <backtrail@example.com> ${seconds} +0000`,
          '',
          message.trimEnd(),
        ].join('\n'),
      );
      expect((await repo.git('ls-tree', '-r', '--name-only', REF)).split('\n')).toHaveLength(4);
      const verified = await git.ledger.signatures([id], list);
      expect(verified.get(id)).toEqual({
        state: 'good',
        principals: ['jane@example.com'],
        key: jane.fingerprint,
      });
      await repo.git('fsck', '--strict');
    },
  );

  test('are not signed where the user does not sign, whatever the repository says', async () => {
    const [nobody, jane] = await Promise.all([
      createIdentity({ ...PERSON, signs: false }),
      createIdentity(PERSON),
    ]);
    const repo = await remote();
    await repo.git('config', 'gpg.format', 'ssh');
    await repo.git('config', 'user.signingKey', jane.keyFile);
    const git = await open({ folder: repo.folder, env: { ...repo.env, ...nobody.env } });
    expect(await git.ledger.signs()).toBe(false);
    const ids = await append(git, null, [event({ sign: true })]);
    expect(await states(git, ids, await allowedSigners([jane]))).toEqual(['none']);
  });

  test.each(someOf(['local', 'clone'] as const, 1))(
    'are signed with the key of the repository where the user signs: %s',
    async (kind) => {
      const [jane, work] = await Promise.all([createIdentity(PERSON), createIdentity(PERSON)]);
      const repo = await remote();
      const clone = await cloneOf(repo, { ...repo.env, ...jane.env });
      await clone.git('config', 'user.signingKey', work.keyFile);
      const git = await openClone(clone, { alone: kind === 'local' });
      const ids = await append(git, null, [event({ sign: true })]);
      expect(await states(git, ids, await allowedSigners([work]))).toEqual(['good']);
      expect(await states(git, ids, await allowedSigners([jane]))).toEqual(['unknown']);
    },
  );

  test('say in one sentence why they cannot be signed, and leave nothing', async () => {
    const { jane, repo, git } = await signing();
    await rm(jane.keyFile);
    await rm(`${jane.keyFile}.pub`);
    await expect(append(git, null, [event({ sign: true })])).rejects.toMatchObject({
      code: 'SIGNING_FAILED',
      message: `The event could not be signed: Couldn't load public key ${jane.keyFile}: No such file or directory.`,
    });
    await writeFile(jane.keyFile, 'no \u001b[31mkey');
    await expect(append(git, null, [event({ sign: true })])).rejects.toMatchObject({
      code: 'SIGNING_FAILED',
      message: expect.stringMatching(/^The event could not be signed: \P{Cc}+\.$/u) as unknown,
    });
    expect(await git.ledger.tip(REF)).toBeNull();
    expect(await staged(repo)).toBe('');
  });

  test('ask for no passphrase: a locked key is a reason', async () => {
    const { jane, git } = await signing();
    await promisify(execFile)('ssh-keygen', ['-q', '-p', '-N', 'secret', '-f', jane.keyFile]);
    await expect(append(git, null, [event({ sign: true })])).rejects.toMatchObject({
      code: 'SIGNING_FAILED',
      message: expect.stringMatching(/passphrase/) as unknown,
    });
  });

  test('are signed by an agent that has the key, where only its public half is named', async () => {
    const { jane, git } = await signing();
    const socket = join(await temporaryFolder('agent-'), 's');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    while ((await stat(socket).catch(() => null)) === null && agent.exitCode === null) await sleep(10);
    await promisify(execFile)('ssh-add', ['-q', jane.keyFile], { env: { SSH_AUTH_SOCK: socket } });
    await rm(jane.keyFile);
    await expect(append(git, null, [event({ sign: true })])).rejects.toMatchObject({
      code: 'SIGNING_FAILED',
    });
    const list = await allowedSigners([jane]);
    for (const key of [`${jane.keyFile}.pub`, `key::${jane.publicKey}`]) {
      const repo = await remote();
      const env = { ...repo.env, ...jane.env, SSH_AUTH_SOCK: socket };
      await repo.gitWith({ env }, ['config', '--global', 'user.signingKey', key]);
      const other = await open({ folder: repo.folder, env });
      const ids = await append(other, null, [event({ sign: true })]);
      expect(await states(other, ids, list)).toEqual(['good']);
    }
    agent.kill();
  });

  test('run no program that the repository names, also one named after it was opened', async () => {
    const { jane, repo, git } = await signing();
    const trap = join(await temporaryFolder(), 'trap');
    const script = join(dirname(trap), 'script');
    await writeFile(script, `#!/bin/sh\ntouch '${trap}'\nexit 1\n`, { mode: 0o755 });
    const set = async () => {
      for (const key of ['gpg.program', 'gpg.ssh.program', 'gpg.openpgp.program', 'gpg.x509.program'])
        await repo.git('config', key, script);
      await repo.git('config', 'gpg.ssh.defaultKeyCommand', script);
      await repo.git('config', 'gpg.format', 'openpgp');
      await repo.git('config', 'i18n.commitEncoding', 'ISO-8859-1');
      await repo.git('config', 'commit.gpgSign', 'true');
    };
    await set();
    const env = { ...repo.env, ...jane.env };
    for (const each of [git, await open({ folder: repo.folder, env })]) {
      const ids = await append(each, await each.ledger.tip(REF), [event({ sign: true }), event()]);
      const forged = await forge(repo, ids[0] ?? '', (text) =>
        text.replace(
          /^gpgsig (.*\n )*.*$/m,
          'gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----',
        ),
      );
      const list = await allowedSigners([jane]);
      expect(await states(each, [...ids, forged], list)).toEqual(['good', 'none', 'unknown']);
      expect(await repo.git('cat-file', 'commit', ids[0] ?? '')).not.toContain('encoding');
    }
    expect(await stat(trap).catch(() => null)).toBeNull();
  });
});

/** Another commit object, made of one that is there. */
async function forge(repo: Repo, id: string, change: (text: string) => string): Promise<string> {
  const text = await repo.git('cat-file', 'commit', id);
  const changed = change(text);
  expect(changed).not.toBe(text);
  return repo.gitWith({ input: `${changed}\n` }, [
    'hash-object',
    '-t',
    'commit',
    '-w',
    '--literally',
    '--stdin',
  ]);
}

describe('who signed', () => {
  test('is known by the keys of the list alone: another key, and no list, are unknown', async () => {
    const { jane, git } = await signing();
    const bob = await createIdentity({ name: 'Bob', email: 'bob@example.com' });
    const [signed = '', plain = ''] = await append(git, null, [event({ sign: true }), event()]);
    const none = { state: 'none', principals: [], key: null };
    for (const list of [await allowedSigners([bob]), null]) {
      const found = await git.ledger.signatures([signed, plain], list);
      const unlisted = list === null ? {} : { unlisted: true };
      expect(found.get(signed)).toEqual({
        state: 'unknown',
        ...unlisted,
        principals: [],
        key: jane.fingerprint,
      });
      expect(found.get(plain)).toEqual(none);
    }
  });

  test('is never what the repository itself says', async () => {
    const { jane, repo, git: first } = await signing();
    const list = await allowedSigners([jane]);
    const ids = await append(first, null, [event({ sign: true })]);
    await repo.git('config', 'gpg.ssh.allowedSignersFile', list);
    const revoked = join(await temporaryFolder(), 'revoked');
    await writeFile(revoked, `${jane.publicKey}\n`);
    await repo.git('config', 'gpg.ssh.revocationFile', revoked);
    for (const git of [first, await open(repo)]) {
      expect(await states(git, ids, null)).toEqual(['unknown']);
      expect(await states(git, ids, list)).toEqual(['good']);
    }
    await writeFile(jane.globalConfig, `[gpg "ssh"]\n\trevocationFile = ${revoked}\n`);
    const strict = await open({ folder: repo.folder, env: { ...repo.env, ...jane.env } });
    expect(await states(strict, ids, list)).toEqual(['unknown']);
  });

  test('is nobody where the commit was changed afterwards, in whatever part', async () => {
    const { jane, repo, git } = await signing();
    const [before = '', id = ''] = await append(git, null, [event({ sign: true }), event({ sign: true })]);
    const list = await allowedSigners([jane]);
    const changes: ((text: string) => string)[] = [
      (text) => text.replace(/^Event /m, 'Even '),
      (text) => text.replace('author Jane', 'author Joan'),
      (text) => text.replace(/^committer .*$/m, 'committer X <x@x> 1 +0000'),
      (text) => text.replace(/^parent .*\n/m, ''),
      (text) => text.replace(/^tree .*$/m, 'tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904'),
      (text) => text.replace('U1NIU0lH', 'AAAAU0lH'),
      (text) => text.replace(/(BEGIN SSH SIGNATURE-----\n )\w+/, '$1'),
    ];
    for (const change of changes)
      expect(await states(git, [await forge(repo, id, change)], list)).toEqual(['bad']);
    // git itself ends with some of these: the others are known all the same.
    const cut = [
      (text: string) => text.replace(/^gpgsig (.*\n )*.*$/m, 'gpgsig -----BEGIN SSH SIGNATURE-----'),
      (text: string) => text.replace(/^parent .*$/m, `parent ${'z'.repeat(40)}`),
    ];
    const broken = await Promise.all(cut.map((change) => forge(repo, id, change)));
    const mixed = [id, ...broken, before, ...broken.toReversed(), id];
    expect(await states(git, mixed, list)).toEqual(['good', 'bad', 'bad', 'good', 'bad', 'bad', 'good']);
    // A signature of another commit.
    const other = /^gpgsig (.*\n )*.*$/m.exec(await repo.git('cat-file', 'commit', before))?.[0] ?? '';
    const moved = await forge(repo, id, (text) => text.replace(/^gpgsig (.*\n )*.*$/m, other));
    const removed = await forge(repo, id, (text) => text.replace(/^gpgsig (.*\n )*.*\n/m, ''));
    expect(await states(git, [moved, removed, id], list)).toEqual(['bad', 'none', 'good']);
  });

  test('is unknown for every other kind of signature, and none spoils the answer for others', async () => {
    const { jane, repo, git } = await signing();
    const [id = ''] = await append(git, null, [event({ sign: true })]);
    const kinds = [
      '-----BEGIN PGP SIGNATURE-----',
      '-----BEGIN SIGNED MESSAGE-----',
      '-----BEGIN PGP MESSAGE-----',
      'x',
      '-',
    ];
    const forged: string[] = [];
    for (const kind of kinds)
      forged.push(await forge(repo, id, (text) => text.replace('-----BEGIN SSH SIGNATURE-----', kind)));
    const second = await forge(repo, id, (text) => text.replace(/^gpgsig /m, 'gpgsig x\ngpgsig '));
    const list = await allowedSigners([jane]);
    expect(await states(git, [...forged, second, id], list)).toEqual([
      ...kinds.map(() => 'unknown'),
      'unknown',
      'good',
    ]);
  });

  test.runIf(isProof)(
    'goes by every name that the list has for the key, in lower case, but by no pattern',
    async () => {
      const { jane, git } = await signing();
      const ids = await append(git, null, [event({ sign: true })]);
      const file = join(await temporaryFolder(), 'list');
      const principals = async (...lines: string[]) => {
        await writeFile(file, `# a comment\n\n${lines.join('\n')}\n`);
        const found = await git.ledger.signatures(ids, file);
        return [...found.values()].map(({ state, principals }) => [state, ...principals]);
      };
      const key = jane.publicKey;
      expect(await principals(`Jane@Example.com,jane.doe@example.com ${key} comment here`)).toEqual([
        ['good', 'jane@example.com', 'jane.doe@example.com'],
      ]);
      expect(await principals(`a@x namespaces="git" ${key}`, `b@x ${key}`)).toEqual([['good', 'a@x', 'b@x']]);
      expect(await principals(`a@x ${key}`, `b@x namespaces="file" ${key}`)).toEqual([['good', 'a@x']]);
      expect(await principals(`a@x ${key}`, `b@x valid-before="20200101" ${key}`)).toEqual([['good', 'a@x']]);
      expect(await principals(`a@x,!b@x,b@x ${key}`)).toEqual([['good', 'a@x']]);
      expect(await principals(`*@example.com ${key}`)).toEqual([['good']]);
      expect(await principals(`a@x namespaces="file" ${key}`)).toEqual([['unknown']]);
      expect(await principals(`a@x valid-before="20200101" ${key}`)).toEqual([['unknown']]);
      expect(await principals(`a@x cert-authority ${key}`)).toEqual([['unknown']]);
      expect(await principals('')).toEqual([['unknown']]);
    },
  );

  test('is not guessed where the list or ssh-keygen is missing', async () => {
    const { jane, repo, git } = await signing();
    const ids = await append(git, null, [event({ sign: true })]);
    await expect(git.ledger.signatures(ids, '/nonexistent/list')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('/nonexistent/list') as unknown,
    });
    const list = await allowedSigners([jane]);
    await repo.git('config', 'gpg.ssh.program', 'x');
    const settings = join(await temporaryFolder(), 'gitconfig');
    await writeFile(settings, '[gpg "ssh"]\n\tprogram = /nonexistent/ssh-keygen\n');
    const without = await open({ folder: repo.folder, env: { ...repo.env, GIT_CONFIG_GLOBAL: settings } });
    await expect(without.ledger.signatures(ids, list)).rejects.toMatchObject({ code: 'GIT_MISSING' });
  });
});
