import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { knownLedgers, seenByAddress } from '../../../../engine/git/ledger/last-seen.ts';
import { openPlace } from '../../../../engine/git/open.ts';
import { MODE } from '../../../../engine/model/index.ts';
import { isProof } from '../../../helpers/run/proof.ts';
import { serveGit } from '../../../helpers/servers/git-http.ts';
import { cloneRepo, createRepo, type Repo, temporaryFolder } from '../../../helpers/repositories/repo.ts';
import { PERSON, SERVICE } from '../open.ts';

const REF = 'refs/backtrail/ledger';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Writes one event into the ledger of what stands at `location`. */
async function touch({ env }: Pick<Repo, 'env'>, location: string, cacheFolder: string): Promise<void> {
  const { git, throughUpstream } = await openPlace({ location, env, cacheFolder });
  const reached = await throughUpstream('main');
  await reached.ledger.append({
    ref: REF,
    parent: await reached.ledger.tip(REF),
    events: [
      {
        author: PERSON,
        time: '2026-03-04T05:06:07Z',
        // Ledgers with the same first commit are one and the same.
        message: `Event at ${location}\n`,
        writes: [
          {
            path: location.length.toString(),
            after: { mode: MODE.file, id: '', content: Buffer.from('{}') },
          },
        ],
        sign: false,
      },
    ],
    committer: SERVICE,
  });
  await reached.close();
  if (reached !== git) await git.close();
}

describe('the ledgers that a machine knows', () => {
  it('are those that it has seen, named as they are opened: worktrees, bare repositories, remotes', async () => {
    const cacheFolder = await temporaryFolder();
    expect(await knownLedgers(cacheFolder)).toEqual([]);
    const [home, bare, gone] = [
      await createRepo(),
      await createRepo({ bare: true }),
      await createRepo({ bare: true }),
    ];
    for (const repo of [home, bare, gone]) await repo.replay([{ files: { a: '1' } }]);
    const linked = join(await temporaryFolder(), 'linked');
    await home.git('worktree', 'add', '-q', '--detach', linked);
    for (const location of [home.folder, linked]) await touch(home, location, cacheFolder);
    for (const repo of [bare, gone]) await touch(repo, repo.folder, cacheFolder);
    const clone = await cloneRepo(bare);
    await clone.git('remote', 'set-url', 'origin', `file://${bare.folder}`);
    await touch(clone, clone.folder, cacheFolder);
    await rm(gone.folder, { recursive: true });
    const known = await knownLedgers(cacheFolder);
    expect(known).toEqual([home.folder, `file://${bare.folder}`].sort());
    for (const location of known) await touch(home, location, cacheFolder);
  });

  it('are named without a login; the user of an ssh address is part of it', async () => {
    const cacheFolder = await temporaryFolder();
    const signal = new AbortController().signal;
    const tip = '1'.repeat(40);
    for (const address of [
      'https://example.com/x.git',
      'https://example.com/x.git?token=hunter2',
      'ssh://git@example.com/x.git',
      'git@example.com:x.git',
    ])
      await seenByAddress({ cacheFolder, address, ref: REF, signal }).record({ tip, root: tip }, () =>
        Promise.resolve(true),
      );
    expect(await knownLedgers(cacheFolder)).toEqual([
      'git@example.com:x.git',
      'https://example.com/x.git',
      'ssh://git@example.com/x.git',
    ]);
    const folder = join(cacheFolder, 'ledgers');
    for (const name of await readdir(folder))
      expect(await readFile(join(folder, name), 'utf8')).not.toContain('hunter2');
  });

  it.runIf(isProof)('leave out a login over http, and files that are none of ours', async () => {
    const cacheFolder = await temporaryFolder();
    const repo = await createRepo({ bare: true });
    await repo.replay([{ files: { a: '1' } }]);
    await repo.git('config', 'http.receivepack', 'true');
    const server = await serveGit({ root: dirname(repo.folder), env: repo.env });
    closing.push(() => server.close());
    const address = `${server.url}/repo`;
    await touch(repo, address.replace('://', '://jane:hunter2@'), cacheFolder);
    const folder = join(cacheFolder, 'ledgers');
    const names = (await readdir(folder)).filter((each) => each.endsWith('.json'));
    const texts = await Promise.all(names.map((each) => readFile(join(folder, each), 'utf8')));
    const at = texts.findIndex((each) => !each.includes('root:'));
    const [name = '', text = ''] = [names[at], texts[at]];
    await writeFile(
      join(folder, `${name.startsWith('0') ? '1' : '0'}${name.slice(1)}`),
      text.replace(address, 'https://elsewhere.example/x'),
    );
    await writeFile(join(folder, 'notes.json'), '{');
    expect(await knownLedgers(cacheFolder)).toEqual([address]);
  });
});
