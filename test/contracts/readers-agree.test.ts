import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ObjectId } from '../../engine/model/index.ts';
import { READERS } from '../helpers/repositories/readers.ts';
import { copyRepo, createRepo, type Repo } from '../helpers/repositories/repo.ts';
import { HEADERS, manyKinds as buildManyKinds, MESSAGES } from './odd-history.ts';
import { runs } from '../helpers/run/proof.ts';
import { anyCharacter } from '../helpers/trees/any-character.ts';

let built: Promise<Repo> | undefined;
const manyKinds = async () => copyRepo(await (built ??= buildManyKinds()));
const timeAt = (seconds: number) => new Date(1_700_000_000_000 + seconds * 1000).toISOString();
async function both(repo: Pick<Repo, 'folder' | 'env'>) {
  const [[, native], [, second]] = READERS;
  return Promise.all([native(repo), second(repo)]);
}
/** What each reader says of the line, the paths and the tree of each tip. */
async function answersOf(repo: Repo, tips: readonly ObjectId[], paths: readonly string[]) {
  const [native, second] = await Promise.all(
    (await both(repo)).map(async ({ history, objects }) => {
      const answers: unknown[] = [];
      const walk = async (id: ObjectId): Promise<void> => {
        const entries = await objects.tree(id);
        answers.push(entries);
        for (const entry of entries) {
          if (entry.mode === '040000') await walk(entry.id);
          else if (entry.mode !== '160000') answers.push(Buffer.from(await objects.blob(entry.id)));
        }
      };
      for (const tip of tips) {
        answers.push(await history.firstParents(tip), await history.findCommit(tip.slice(0, 10)));
        for (const path of paths) answers.push(await history.log({ tip, path }));
        for (const seconds of [0, 3000, 6000, 10_000])
          answers.push(await history.firstParentBefore(tip, timeAt(seconds)));
        await walk((await objects.commit(tip)).tree);
      }
      return answers;
    }),
  );
  return { native, second };
}
describe('both readers', () => {
  test('say the same of messages, names, times and encodings of every odd kind', async () => {
    const repo = await createRepo({ bare: true });
    const tree = await repo.gitWith({ input: '' }, ['mktree']);
    let tip = '';
    for (const raw of [...MESSAGES, ...HEADERS]) {
      const parent = tip === '' ? '' : `parent ${tip}\n`;
      const input = Buffer.concat([Buffer.from(`tree ${tree}\n${parent}`), Buffer.from(raw, 'latin1')]);
      tip = await repo.gitWith({ input }, ['hash-object', '-w', '-t', 'commit', '--literally', '--stdin']);
    }
    const [native, second] = await both(repo);
    expect(await second.history.log({ tip, path: '' })).toEqual(await native.history.log({ tip, path: '' }));
    expect(await second.history.recorded(tip)).toEqual(await native.history.recorded(tip));
  });

  test('say the same of any message', async () => {
    const line = fc.oneof(
      fc.constantFrom(
        'Key: value',
        'Other-Key : x',
        'Rollback-Request-ID: rbk-1',
        'Delivery-Of: x',
        '# note',
      ),
      fc.constantFrom('', ' ', '\t', ' folded', '\tfolded:too', 'no trailer', 'A key: with a blank', ': x'),
      fc.constantFrom('Signed-off-by: A <a@b>', '(cherry picked from commit 1)', 'Conflicts:', 'x:y', '\r'),
      fc.constantFrom(
        'Key:   long  ',
        '  fold  ',
        'K:',
        '\tname',
        '#: x',
        '\u00e9: x',
        'a\u00a0',
        '\f',
        ' f\r',
      ),
      fc.constantFrom('# ------------------------ >8 ------------------------', 'url: https://x:1', '---'),
      fc.string({ unit: anyCharacter, maxLength: 12 }).map((text) => text.replaceAll('\0', '')),
    );
    const message = fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n'));
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 20, maxLength: 40 }), async (messages) => {
        const repo = await createRepo({ bare: true });
        const tip = (await repo.replay(messages.map((message) => ({ message, files: {} })))).at(-1) ?? '';
        const [native, second] = await both(repo);
        expect(await second.history.log({ tip, path: '' })).toEqual(
          await native.history.log({ tip, path: '' }),
        );
        expect(await second.history.recorded(tip)).toEqual(await native.history.recorded(tip));
      }),
      { numRuns: runs(15, 3) },
    );
  });

  test('say the same of any small history, packed or not', async () => {
    const name = fc.constantFrom(
      'a',
      'a-b',
      'a.b',
      'a0',
      'b',
      'ü',
      '\u{1f600}',
      '\ufb01',
      'x y',
      '\udcff',
      '\udcc3z',
      'q"',
      'n\nl',
    );
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
    const content = fc.constantFrom(
      '1',
      '2',
      '3\n'.repeat(200),
      '3\n'.repeat(201),
      null,
      { link: 'a' },
      { executable: '1' },
    );
    const commit = fc.record({
      files: fc.dictionary(path, content, { maxKeys: 4 }),
      seconds: fc.nat(10_000),
    });
    const history = fc.array(commit, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(history, fc.boolean(), async (commits, packed) => {
        const repo = await createRepo({ bare: true });
        const made = await repo.replay(
          commits.map(({ files, seconds }) => ({ files, date: timeAt(seconds) })),
        );
        if (packed) await repo.git('gc', '--quiet');
        const { native, second } = await answersOf(repo, made, [
          '',
          'a',
          'a/a',
          'b',
          'ü',
          'n\nl/a',
          '\udcff',
        ]);
        expect(second).toEqual(native);
      }),
      { numRuns: runs(15, 1) },
    );
  });

  test('say the same of merges, foxtrot merges too', async () => {
    const repo = await manyKinds();
    const tip = await repo.git('rev-parse', 'main');
    const paths = ['', 'a', 'a/x.yaml', 'b', 'kind', 'vendored', 'names'];
    const { native, second } = await answersOf(repo, [tip], paths);
    expect(second).toEqual(native);
  });

  const real = process.env['BACKTRAIL_REAL_REPOS'];
  test.skipIf(real === undefined).each(['flux2-kustomize-helm-example', 'kubernetes-management'])(
    'say the same of the last commits of %s',
    async (name) => {
      const repo = await createRepo({ bare: true });
      await repo.git('fetch', '--quiet', join(real ?? '', `${name}.bundle`), 'main:main');
      const tip = await repo.git('rev-parse', 'main');
      const after = (await repo.git('rev-list', '--first-parent', tip)).split('\n')[runs(1000, 60)];
      const [native, second] = await both(repo);
      for (const path of ['', 'clusters', 'config', 'apps']) {
        const query = { tip, path, ...(after !== undefined && { after }) };
        expect(await second.history.log(query)).toEqual(await native.history.log(query));
      }
    },
  );
});
