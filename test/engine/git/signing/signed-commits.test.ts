import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { GitRepository } from '../../../../engine/git/open.ts';
import { MODE, type NewCommit } from '../../../../engine/model/index.ts';
import { allowedSigners, createIdentity, type Identity } from '../../../helpers/people/signing.ts';
import { createRepo, type Repo, temporaryFolder } from '../../../helpers/repositories/repo.ts';
import { createRunner } from '../../../../engine/git/process/runner.ts';
import { createSigner } from '../../../../engine/git/signing/sign.ts';
import { closeAfterTest } from '../../../helpers/run/lifetime.ts';
import { openReadOnly } from '../../../../engine/git/reader/open.ts';
import { cloneOf, openClone, remote } from '../ledger/ledger-events.ts';
import { open, PERSON, REQUEST, SERVICE } from '../open.ts';
import { runs, someOf } from '../../../helpers/run/proof.ts';

let jane: Identity;
let list: string;
beforeAll(async () => {
  jane = await createIdentity(PERSON);
  list = await allowedSigners([jane]);
});

const commit = (path: string, more: Partial<NewCommit> = {}): Omit<NewCommit, 'parent'> => ({
  author: PERSON,
  committer: SERVICE,
  time: '2026-03-04T05:06:07Z',
  message: `Write ${path}\n\n#  ünï\n\n\nKey: value\n`,
  writes: [{ path, after: { mode: MODE.file, id: '', content: Buffer.from(path) } }],
  ...more,
});

const signing = (repo: Repo): Repo => ({ ...repo, env: { ...repo.env, ...jane.env } });

/** By git itself, where the commit is. */
async function verifies(repo: Pick<Repo, 'gitWith'>, id: string, gitDir?: string): Promise<boolean> {
  const args = ['-c', `gpg.ssh.allowedSignersFile=${list}`, 'verify-commit', id];
  const env = { ...jane.env, ...(gitDir !== undefined && { GIT_DIR: gitDir }) };
  return repo.gitWith({ env }, args).then(
    () => true,
    () => false,
  );
}

/** The commit as it would be without its signature. */
const withoutSignature = (raw: string) => raw.replace(/^gpgsig(?:-sha256)? .*\n(?: .*\n)*/m, '');

describe('a commit that is signed', () => {
  it.each(someOf(['local', 'mirror', 'clone'] as const, 1))(
    'verifies, and says what it would say without, in a %s',
    async (kind) => {
      const repo = await remote();
      const git =
        kind === 'clone'
          ? await openClone(await cloneOf(repo, { ...repo.env, ...jane.env }))
          : await open(signing(repo), {
              location: kind === 'local' ? repo.folder : `file://${repo.folder}`,
            });
      const base = await git.tip('main');
      const write = async (sign: boolean) => {
        const [id = ''] = await git.writeCommits({
          requestId: REQUEST,
          commits: [{ ...commit('a'), parent: base, sign }],
        });
        return id;
      };
      const [signed, plain] = [await write(true), await write(false)];
      expect(await verifies(repo, signed, git.directory)).toBe(true);
      expect(await verifies(repo, plain, git.directory)).toBe(false);
      const at = { env: { GIT_DIR: git.directory } };
      const raw = await repo.gitWith(at, ['cat-file', 'commit', signed]);
      expect(withoutSignature(raw)).toBe(await repo.gitWith(at, ['cat-file', 'commit', plain]));
      expect(await repo.gitWith(at, ['fsck', '--strict', '--no-dangling'])).toBe('');
      const [read] = await git.inspect([signed]);
      expect(read).toMatchObject({ id: signed, parents: [base], trailers: ['Key: value'] });
      await git.publish({ branch: 'main', expected: base, next: signed, requestId: REQUEST });
      await git.deleteStaging(REQUEST);
      expect(await verifies(repo, 'main')).toBe(true);
      expect(await repo.gitWith(at, ['for-each-ref', 'refs/backtrail/staging'])).toBe('');
    },
  );

  it('is signed as SHA-256 repositories have it', async () => {
    const repo = await createRepo({ bare: true, format: 'sha256' });
    const [parent = ''] = await repo.replay([{ files: { a: '1' } }]);
    const git = await open(signing(repo));
    const [id = ''] = await git.writeCommits({
      requestId: REQUEST,
      commits: [{ ...commit('b'), parent, sign: true }],
    });
    expect(await repo.git('cat-file', 'commit', id)).toContain(
      '\ngpgsig-sha256 -----BEGIN SSH SIGNATURE-----\n',
    );
    expect(await verifies(repo, id)).toBe(true);
  });

  it('is read without git as it is with it', async () => {
    const repo = await createRepo({ bare: true });
    const [parent = ''] = await repo.replay([{ files: { a: '1' } }]);
    const git = await open(signing(repo));
    const commits = [{ ...commit('b'), parent, sign: true }];
    const [id = ''] = await git.writeCommits({ requestId: REQUEST, commits });
    const reader = await openReadOnly({ location: repo.folder, folder: repo.folder, env: repo.env });
    expect(await reader.inspect([id])).toEqual(await git.inspect([id]));
    expect(await reader.messages([id])).toEqual(await git.messages([id]));
  });

  it('is signed by a key that is written out, where an agent has it', async () => {
    const repo = await createRepo({ bare: true });
    const [parent = ''] = await repo.replay([{ files: { a: '1' } }]);
    const folder = await temporaryFolder();
    // In place of an agent: it takes the call as git makes it, and signs with the private key.
    const program = join(folder, 'sign');
    const script = `#!/bin/sh\n[ "$7" = -U ] || exit 3\nkey="$(cat "$6")"; [ "$key" = '${jane.publicKey}' ] || exit 4\nexec ssh-keygen -Y sign -n git -f '${jane.keyFile}' "$8"\n`;
    await writeFile(program, script, { mode: 0o755 });
    const global = join(folder, 'gitconfig');
    await writeFile(
      global,
      `[gpg]\n\tformat = ssh\n[gpg "ssh"]\n\tprogram = ${program}\n[user]\n\tsigningKey = key::${jane.publicKey}\n`,
    );
    const git = await open({ ...repo, env: { ...repo.env, GIT_CONFIG_GLOBAL: global } });
    await git.requireKey(true);
    const commits = [{ ...commit('b'), parent, sign: true }];
    const [id = ''] = await git.writeCommits({ requestId: REQUEST, commits });
    expect(await verifies(repo, id)).toBe(true);
  });
});

describe('a chain of which some are signed', () => {
  it('has each on top of the one before, whichever are signed, and leaves nothing behind', async () => {
    const repo = await createRepo({ bare: true });
    const [parent = ''] = await repo.replay([{ files: { a: '1' } }]);
    const git = await open(signing(repo));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }), async (signs) => {
        const chain = git.beginChain({ parent, requestId: REQUEST });
        const ids: string[] = [];
        for (const [index, sign] of signs.entries())
          ids.push(await chain.add(commit(`f${index}`, { sign, message: `After ${ids.at(-1) ?? ''}\n` })));
        await chain.end();
        const tip = ids.at(-1) ?? '';
        expect(await repo.git('rev-list', '--reverse', tip, `^${parent}`)).toBe(ids.join('\n'));
        expect((await repo.git('ls-tree', '-r', '--name-only', tip)).split('\n')).toHaveLength(
          signs.length + 1,
        );
        const found = await git.ledger.signatures(ids, list);
        expect(ids.map((id) => found.get(id)?.state === 'good')).toEqual(signs);
        await chain.drop();
        expect(await repo.git('for-each-ref', 'refs/backtrail')).toBe('');
      }),
      { numRuns: runs(8, 3), examples: [[[false, true, false]], [[true, true]]] },
    );
    expect(await repo.git('fsck', '--strict', '--no-dangling')).toBe('');
  });

  it('is one pack where it is long, and is kept until it is dropped', async () => {
    const repo = await createRepo({ bare: true });
    const [parent = ''] = await repo.replay([{ files: { a: '1' } }]);
    const git = await open(signing(repo));
    const chain = git.beginChain({ parent, requestId: REQUEST });
    const message = `${'A long message. '.repeat(400)}\n`;
    let tip = await chain.add(commit('first', { sign: true, message }));
    for (let index = 0; index < 120; index += 1)
      tip = await chain.add(commit(`f${index}`, { sign: false, message }));
    await chain.end();
    await repo.git('prune', '--expire=now');
    expect(await repo.git('rev-list', '--count', tip, `^${parent}`)).toBe('121');
    expect(await repo.git('fsck', '--strict', '--no-dangling')).toBe('');
    await chain.drop();
  });
});

describe('a program that signs', () => {
  const signerOf = async (script: string, timeoutMs = 60_000) => {
    const repo = await createRepo({ bare: true });
    const program = join(await temporaryFolder(), 'sign');
    await writeFile(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const stop = new AbortController();
    const runner = createRunner({ directory: repo.gitDir, env: repo.env, timeoutMs, signal: stop.signal });
    closeAfterTest(() => stop.abort());
    return { program, signer: createSigner(runner, { program, key: jane.keyFile }) };
  };
  const bytes = Buffer.from('tree\n');
  const unable = `The commit could not be signed: `;

  it.each<[string, string, string, string]>([
    [
      'says why it cannot',
      'echo "Enter passphrase for key: wrong passphrase" >&2; exit 255',
      'SIGNING_FAILED',
      `${unable}wrong passphrase.`,
    ],
    ['makes nothing', 'exit 0', 'SIGNING_FAILED', ' made no SSH signature.'],
    [
      'makes something else',
      'echo "-----BEGIN PGP SIGNATURE-----" > "$7.sig"',
      'SIGNING_FAILED',
      ' made no SSH signature.',
    ],
    ['ends what started it', 'kill -9 $PPID', 'SIGNING_FAILED', `${unable}the program was ended.`],
  ])('and %s is told of, and tried again for the next commit', async (_, script, code, message) => {
    const marked = `if [ -e "$0.again" ]; then exec ssh-keygen "$@"; fi; touch "$0.again"; ${script}`;
    const { signer } = await signerOf(marked);
    await expect(signer.sign(bytes)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as unknown,
    });
    const both = await Promise.all([signer.sign(bytes), signer.sign(bytes)]);
    for (const signature of both) expect(signature).toMatch(/^-----BEGIN SSH SIGNATURE-----\n/);
  });

  it('and does not end is ended', async () => {
    const { signer } = await signerOf('exec sleep 1000', 500);
    await expect(signer.sign(bytes)).rejects.toMatchObject({ code: 'GIT_TIMEOUT' });
  });

  it('and is not there is told of', async () => {
    const { program, signer } = await signerOf('exit 0');
    await rm(program);
    await expect(signer.sign(bytes)).rejects.toMatchObject({
      code: 'GIT_MISSING',
      hint: expect.stringContaining('OpenSSH') as unknown,
    });
  });
});

describe('without a key', () => {
  const refused = async (git: GitRepository, parent: string, message: RegExp) => {
    const failure = { code: 'SIGNING_FAILED', message: expect.stringMatching(message) as unknown };
    await expect(git.requireKey(true)).rejects.toMatchObject({
      ...failure,
      hint: expect.stringContaining('user.signingKey FILE') as unknown,
    });
    await git.requireKey(false);
    await expect(
      git.writeCommits({ requestId: REQUEST, commits: [{ ...commit('b'), parent, sign: true }] }),
    ).rejects.toMatchObject({ code: 'SIGNING_FAILED' });
  };

  it('says so before anything is written, and what was begun is not kept', async () => {
    const repo = await createRepo({ bare: true });
    const [parent = ''] = await repo.replay([{ files: { a: '1' } }]);
    await refused(await open(repo), parent, /git knows no SSH key/);
    const global = join(await temporaryFolder(), 'gitconfig');
    await writeFile(global, '[gpg]\n\tformat = ssh\n[user]\n\tsigningKey = ~/no-such-key\n');
    const gone = await open({ ...repo, env: { ...repo.env, GIT_CONFIG_GLOBAL: global } });
    await refused(gone, parent, /there is no key \/.*\/no-such-key/);
    expect(await repo.git('for-each-ref', 'refs/backtrail')).toBe('');
  });

  it('a repository that is opened to sign all asks for one, but for what is not to be signed', async () => {
    const repo = await createRepo({ bare: true });
    const [parent = ''] = await repo.replay([{ files: { a: '1' } }]);
    const nobody = await open(repo, { sign: true });
    await expect(nobody.requireKey(undefined)).rejects.toMatchObject({ code: 'SIGNING_FAILED' });
    const git = await open(signing(repo), { sign: true });
    const write = async (more: Partial<NewCommit>) => {
      const [id = ''] = await git.writeCommits({
        requestId: REQUEST,
        commits: [{ ...commit('b', more), parent }],
      });
      return verifies(repo, id);
    };
    expect([await write({}), await write({ sign: false })]).toEqual([true, false]);
  });
});
