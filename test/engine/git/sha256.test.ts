import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readRollback } from '../../../engine/record/read.ts';
import { engineOf, rollBack } from '../../helpers/repositories/engine.ts';
import { createRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { open, REQUEST } from './open.ts';
import { someOf } from '../../helpers/run/proof.ts';

const CONFIG =
  'version: 1\nlayout: { service: [ "apps/{environment}/{service}/**", "apps/{environment}.yaml#/{service}" ] }\n';
const FILE = 'apps/production/web/service.yaml';

async function sha256Repo(): Promise<{ repo: Repo; ids: string[] }> {
  const repo = await createRepo({ bare: true, format: 'sha256' });
  const step = (version: number) => ({
    [FILE]: `image: v${version} # as released\n`,
    'apps/production.yaml': `web: { replicas: ${version} }\nother: ${version}\n`,
  });
  const ids = await repo.replay([
    { files: { '.backtrail/config.yaml': CONFIG, ...step(1) } },
    { files: step(2) },
    { files: step(3) },
  ]);
  return { repo, ids };
}

describe('a repository with SHA-256 ids', () => {
  test('is read: objects, abbreviations, and no id of the other width', async () => {
    const { repo, ids } = await sha256Repo();
    const [first = '', , tip = ''] = ids;
    const git = await open(repo);
    const { tree, parents } = await git.objects.commit(tip);
    expect([tree, parents]).toEqual([await repo.git('rev-parse', 'main^{tree}'), [ids[1]]]);
    expect((await git.objects.tree(tree)).map(({ mode, id, name }) => `${mode} ${id} ${name}`)).toEqual(
      (await repo.git('ls-tree', '--format=%(objectmode) %(objectname) %(path)', tip)).split('\n'),
    );
    const bytes = Buffer.from('image: v9\n');
    const own = await repo.gitWith({ input: bytes }, ['hash-object', '--stdin']);
    expect(git.hasher.blobId(bytes)).toBe(own);
    for (const digits of [8, 40, 64])
      expect(await git.history.findCommit(first.slice(0, digits))).toBe(first);
    await expect(git.history.findCommit(`${first}0`)).rejects.toMatchObject({ code: 'REVISION_INVALID' });
    // An id of 40 digits is an abbreviation here, and no name of an object.
    await expect(git.objects.commit(tip.slice(0, 40))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    expect(await git.history.findCommit('f'.repeat(40))).toBeNull();
    await git.publish({ branch: 'main', expected: tip, next: tip, requestId: REQUEST });
  });

  test.each(someOf(['in place', 'through a mirror'], 1))(
    'is rolled back %s, with a record that reads back',
    async (how) => {
      const { repo, ids } = await sha256Repo();
      const [target = '', , base = ''] = ids;
      const cacheFolder = join(await temporaryFolder(), 'cache');
      const at = how === 'in place' ? {} : { location: `file://${repo.folder}`, cacheFolder };
      const engine = await engineOf(repo, at);
      const result = await rollBack(engine, { scope: 'production/web', to: target.slice(0, 12) });
      expect(result).toMatchObject({ status: 'completed', base, target });
      expect(await repo.git('rev-parse', 'main')).toBe(result.commit);
      expect(await repo.git('show', `main:apps/production.yaml`)).toBe('web: { replicas: 1 }\nother: 3');
      expect(await repo.git('show', `main:${FILE}`)).toBe('image: v1 # as released');
      const trailers = (await repo.git('log', '-1', '--format=%(trailers:only,unfold)', 'main')).split('\n');
      const claim = readRollback(trailers);
      expect(claim?.problems).toEqual([]);
      expect(claim?.record).toMatchObject({ target, base });
      const { revisions } = await engine.history({ scope: 'production/web', limit: 9 });
      expect(revisions.map(({ version, rolledBackBy }) => [version, rolledBackBy])).toEqual([
        [4, null],
        [3, result.commit],
        [2, result.commit],
        [1, null],
      ]);
      // Opened again, the mirror is there already.
      const again = await engineOf(repo, at);
      expect((await rollBack(again, { scope: 'production/web', to: 'v2' })).status).toBe('completed');
      expect(await repo.git('fsck', '--strict', '--no-dangling')).toBe('');
    },
  );

  test('has other blob ids than one with SHA-1 ids', async () => {
    const bytes = Buffer.from('x');
    const ids = await Promise.all(
      (['sha1', 'sha256'] as const).map(async (format) =>
        (await open(await createRepo({ format }))).hasher.blobId(bytes),
      ),
    );
    expect(ids).toEqual(['sha1', 'sha256'].map((hash) => createHash(hash).update('blob 1\0x').digest('hex')));
  });
});
