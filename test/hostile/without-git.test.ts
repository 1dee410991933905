import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openReadOnly } from '../../engine/git/reader/open.ts';
import { cloneRepo, createRepo, type Repo, temporaryFolder } from '../helpers/repositories/repo.ts';

const open = (repo: Repo, folder = repo.folder) => openReadOnly({ location: folder, folder, env: repo.env });
const NEEDS_GIT = { code: 'GIT_MISSING', hint: expect.stringContaining('Install git') };

async function small(): Promise<Repo & { tip: string }> {
  const repo = await createRepo();
  const tip = await repo.commit({ 'a.txt': 'a' });
  return { ...repo, tip };
}

describe('without git, it refuses to open', () => {
  test('SHA-256 ids', async () => {
    const repo = await createRepo({ format: 'sha256' });
    await expect(open(repo)).rejects.toMatchObject({
      code: 'SHA256_UNSUPPORTED',
      hint: expect.stringContaining('Install git'),
    });
  });

  test('a repository that borrows objects', async () => {
    const clone = await cloneRepo(await small(), { args: ['--shared'] });
    await expect(open(clone)).rejects.toMatchObject(NEEDS_GIT);
    await expect(open(clone)).rejects.toThrow('borrows objects');
  });

  test('a linked worktree, by its folder and by its git directory, and a submodule', async () => {
    const repo = await small();
    const linked = join(await temporaryFolder(), 'linked');
    await repo.git('worktree', 'add', '--quiet', '-b', 'other', linked);
    await expect(open(repo, linked)).rejects.toMatchObject(NEEDS_GIT);
    await expect(open(repo, join(repo.gitDir, 'worktrees/linked'))).rejects.toMatchObject(NEEDS_GIT);
    expect((await open(repo)).worktree).toBe(repo.folder);
  });

  test.each([
    ['extensions', 'refStorage = reftable'],
    ['extensions', 'fromTheFuture = true'],
    ['core', 'repositoryFormatVersion = 2'],
  ])('the setting [%s] %s', async (section, setting) => {
    const repo = await small();
    const config = join(repo.gitDir, 'config');
    await writeFile(config, `${await readFile(config, 'utf8')}\n[${section}] ${setting} ; comment\n`);
    await expect(open(repo)).rejects.toMatchObject(NEEDS_GIT);
  });

  test('packs over the limit', async () => {
    const repo = await small();
    await repo.git('gc', '--quiet');
    const packs = join(repo.gitDir, 'objects/pack');
    const pack = (await readdir(packs)).find((name) => name.endsWith('.pack')) ?? '';
    await cp(join(packs, pack), join(packs, 'pack-x.pack'));
    await truncate(join(packs, 'pack-x.pack'), 64 * 1024 * 1024);
    await expect(open(repo)).rejects.toMatchObject(NEEDS_GIT);
    await truncate(join(packs, 'pack-x.pack'), 60 * 1024 * 1024);
    expect(await (await open(repo)).tip('main')).toBe(repo.tip);
  });

  test.each(['objects', 'refs'])('%s that lie somewhere else', async (name) => {
    const repo = await small();
    const elsewhere = join(await temporaryFolder(), name);
    await rename(join(repo.gitDir, name), elsewhere);
    await symlink(elsewhere, join(repo.gitDir, name));
    await expect(open(repo)).rejects.toMatchObject(NEEDS_GIT);
  });

  test('a folder without a repository', async () => {
    const repo = await small();
    await expect(open(repo, await temporaryFolder())).rejects.toMatchObject({ code: 'REPOSITORY_UNKNOWN' });
  });
});

describe('without git, in a hostile git directory', () => {
  test.each(['HEAD', 'packed-refs', 'refs/heads/main'])('%s as a link is not followed', async (name) => {
    const repo = await small();
    const file = join(repo.gitDir, name);
    const secret = join(await temporaryFolder(), 'secret');
    await writeFile(secret, 'ref: refs/heads/secret-word\n');
    await rm(file, { force: true });
    await symlink(secret, file);
    if (name === 'packed-refs') await rm(join(repo.gitDir, 'refs/heads/main'));
    const asked = open(repo).then(async (git) =>
      name === 'HEAD' ? await git.head() : await git.tip('main'),
    );
    await expect(asked).rejects.toMatchObject(NEEDS_GIT);
    await expect(asked).rejects.not.toThrow('secret-word');
  });

  test('a pipe in place of a file does not hang it', async () => {
    const repo = await small();
    await rm(join(repo.gitDir, 'refs/heads/main'));
    await promisify(execFile)('mkfifo', [join(repo.gitDir, 'packed-refs')]);
    await expect((await open(repo)).tip('main')).rejects.toMatchObject(NEEDS_GIT);
  });

  test('symbolic refs in a circle, or out of the folder, are no branch', async () => {
    const repo = await small();
    await repo.write({
      '.git/refs/heads/one': 'ref: refs/heads/two\n',
      '.git/refs/heads/two': 'ref: refs/heads/one\n',
      '.git/refs/heads/out': 'ref: refs/../../a.txt\n',
    });
    const git = await open(repo);
    for (const name of ['one', 'out'])
      await expect(git.tip(name)).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
  });

  test('what inflates to more than the limit is refused, loose and packed, whatever its header says', async () => {
    const repo = await small();
    const zeros = Buffer.alloc(65 * 1024 * 1024);
    const honest = await writeLoose(repo, Buffer.concat([Buffer.from(`blob ${zeros.length}\0`), zeros]));
    const lying = await writeLoose(repo, Buffer.concat([Buffer.from('blob 10\0'), zeros]));
    const git = await open(repo);
    for (const id of [honest, lying]) await expect(git.objects.blob(id)).rejects.toMatchObject(TOO_LARGE);
    const packed = await writePack(repo, [{ type: 3, size: 10, data: zeros }]);
    await expect(git.objects.blob(packed[0] ?? '')).rejects.toMatchObject(TOO_LARGE);
  });

  test('a delta that copies its base over and over is refused before it is applied', async () => {
    const repo = await small();
    const base = Buffer.alloc(16 * 1024 * 1024);
    const header = Buffer.from([...varint(base.length), ...varint(10)]);
    const delta = Buffer.concat([
      header,
      ...Array.from({ length: 1000 }, () => Buffer.from('f0ffffff', 'hex')),
    ]);
    const [id = '', bomb = ''] = await writePack(repo, [
      { type: 3, size: base.length, data: base },
      { type: 7, size: delta.length, data: delta, base: 0 },
    ]);
    const git = await open(repo);
    await expect(git.objects.blob(bomb)).rejects.toMatchObject(TOO_LARGE);
    expect(id).toHaveLength(40);
  });

  test('a long chain of deltas of a large file is left to git before it is applied', async () => {
    const repo = await small();
    const base = Buffer.alloc(7 * 1024 * 1024);
    const copy = Buffer.from([...varint(base.length), ...varint(base.length), 0xf0, 0, 0, 0x70]);
    const links = Array.from({ length: 98 }, (_, at) => {
      const data = Buffer.concat([copy, Buffer.from([2, at, 0])]);
      return { type: 7 as const, size: data.length, data, base: at };
    });
    const ids = await writePack(repo, [{ type: 3, size: base.length, data: base }, ...links]);
    const git = await open(repo);
    for (const id of ids.slice(-10)) await expect(git.objects.blob(id)).rejects.toMatchObject(NEEDS_GIT);
    // Few of them are applied.
    await expect(git.objects.blob(ids[2] ?? '')).rejects.toThrow('is damaged');
  });

  test('deltas of each other do not hang it', async () => {
    const repo = await small();
    const delta = Buffer.from([...varint(4), ...varint(4), 0x90, 4]);
    const [one = '', two = ''] = await writePack(repo, [
      { type: 7, size: delta.length, data: delta, base: 1 },
      { type: 7, size: delta.length, data: delta, base: 0 },
    ]);
    const git = await open(repo);
    for (const id of [one, two])
      await expect(git.objects.blob(id)).rejects.toMatchObject({ code: 'GIT_FAILED' });
  });

  test('an object under the id of another is refused', async () => {
    const repo = await small();
    const [one, two] = [await writeLoose(repo, Buffer.from('blob 1\0x')), 'ab'.repeat(20)];
    const place = (id: string) => join(repo.gitDir, 'objects', id.slice(0, 2), id.slice(2));
    await mkdir(dirname(place(two)), { recursive: true });
    await cp(place(one), place(two));
    const git = await open(repo);
    expect(Buffer.from(await git.objects.blob(one)).toString()).toBe('x');
    await expect(git.objects.blob(two)).rejects.toMatchObject({ code: 'GIT_FAILED' });
    const [packed = ''] = await writePack(repo, [{ type: 3, size: 1, data: Buffer.from('y') }]);
    await expect(git.objects.blob(packed)).rejects.toMatchObject({ code: 'GIT_FAILED' });
  });

  test('a damaged object or pack is a failure of this question only', async () => {
    const repo = await small();
    const blob = await repo.git('rev-parse', 'HEAD:a.txt');
    const file = join(repo.gitDir, 'objects', blob.slice(0, 2), blob.slice(2));
    await rm(file);
    await writeFile(file, 'not deflated');
    await writeFile(join(repo.gitDir, 'config'), '[broken\n= =\n[core]\nbare');
    const git = await open(repo);
    await expect(git.objects.blob(blob)).rejects.toMatchObject({ code: 'GIT_FAILED' });
    expect((await git.objects.commit(repo.tip)).id).toBe(repo.tip);
    await writeFile(join(repo.gitDir, 'objects/pack/pack-x.idx'), 'no index');
    await writeFile(join(repo.gitDir, 'objects/pack/pack-x.pack'), 'PACK');
    await expect(git.objects.blob('1'.repeat(40))).rejects.toMatchObject(NEEDS_GIT);
  });

  test('trees within trees that hold a billion paths end', async () => {
    const repo = await createRepo({ bare: true });
    const blob = await repo.gitWith({ input: 'x' }, ['hash-object', '-w', '--stdin']);
    let entry = `100644 blob ${blob}`;
    for (let depth = 0; depth < 9; depth += 1) {
      const input = Array.from({ length: 10 }, (_, i) => `${entry}\tn${i}\n`).join('');
      entry = `040000 tree ${await repo.gitWith({ input }, ['mktree'])}`;
    }
    const tip = await repo.gitWith({ input: 'x' }, ['commit-tree', entry.split(' ')[2] ?? '']);
    const { history } = await open(repo);
    await expect(history.log({ tip, path: '' })).rejects.toMatchObject(NEEDS_GIT);
  });

  test('what a partial clone never fetched is said to be that', async () => {
    const origin = await small();
    await origin.git('config', 'uploadpack.allowFilter', 'true');
    const blob = await origin.git('rev-parse', 'HEAD:a.txt');
    const args = ['--filter=blob:none', '--no-checkout', '--no-local'];
    const git = await open(await cloneRepo(origin, { args }));
    expect(await git.tip('main')).toBe(origin.tip);
    await expect(git.objects.blob(blob)).rejects.toMatchObject({
      code: 'PARTIAL_CLONE',
      message: expect.stringContaining(blob),
    });
  });
});

const TOO_LARGE = { code: 'FILE_TOO_LARGE' };

/** Gives the id that git would look for: the hash of the bytes, whatever their header says. */
async function writeLoose(repo: Repo, content: Buffer): Promise<string> {
  const id = createHash('sha1').update(content).digest('hex');
  const file = join(repo.gitDir, 'objects', id.slice(0, 2), id.slice(2));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, deflateSync(content, { level: 1 }));
  return id;
}

interface PackEntry {
  /** 3 is a blob, 7 a delta of the entry `base`. */
  readonly type: 3 | 7;
  readonly size: number;
  readonly data: Buffer;
  readonly base?: number;
}

/** A pack with an index that git would not have made: ids that ascend and mean nothing. Gives them. */
async function writePack(repo: Repo, entries: readonly PackEntry[]): Promise<string[]> {
  const ids = entries.map((_, index) => `${index + 1}`.padStart(2, '0').repeat(20));
  const parts = [Buffer.from('PACK'), word(2), word(entries.length)];
  const offsets: number[] = [];
  for (const { type, size, data, base } of entries) {
    offsets.push(parts.reduce((sum, part) => sum + part.length, 0));
    const rest = size >> 4;
    const first = (type << 4) | (size & 15) | (rest > 0 ? 0x80 : 0);
    parts.push(Buffer.from([first, ...(rest > 0 ? varint(rest) : [])]));
    if (base !== undefined) parts.push(Buffer.from(ids[base] ?? '', 'hex'));
    parts.push(deflateSync(data, { level: 1 }));
  }
  const pack = hashed(parts);
  const fanout = Array.from({ length: 256 }, (_, byte) =>
    word(ids.filter((id) => Number.parseInt(id.slice(0, 2), 16) <= byte).length),
  );
  const index = hashed([
    Buffer.from('ff744f63', 'hex'),
    word(2),
    ...fanout,
    ...ids.map((id) => Buffer.from(id, 'hex')),
    ...ids.map(() => word(0)),
    ...offsets.map(word),
    pack.subarray(-20),
  ]);
  const name = join(repo.gitDir, 'objects/pack', `pack-${pack.toString('hex', pack.length - 20)}`);
  await writeFile(`${name}.pack`, pack);
  await writeFile(`${name}.idx`, index);
  return ids;
}

function hashed(parts: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([bytes, createHash('sha1').update(bytes).digest()]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)];
}
