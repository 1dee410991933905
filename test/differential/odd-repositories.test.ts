import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { engineOf, rollBack } from '../helpers/repositories/engine.ts';
import { cloneRepo, createRepo, type Repo } from '../helpers/repositories/repo.ts';
import { isProof, runs, someOf } from '../helpers/run/proof.ts';

const CONFIG = 'version: 1\nlayout: { service: [ "apps/{environment}/{service}/**" ] }\nkeep: []\n';
const FOLDER = 'apps/production/web';

const UTF8 =
  String.raw`a A service.yaml é ~ 𝒳 -n --force :(top)x :!x * ? [a] quo"te apo'strophe back\slash \ #part .hidden .gitignore
  .gitattributes @{u} %s {environment}`
    .split(/\s+/)
    .concat(
      'e\u0301',
      ' lead',
      'trail ',
      'a b',
      'new\nline',
      'tab\tbed',
      'a\rb',
      '\u001b[31m',
      '\u202egpj',
      '\ufeff',
    )
    .concat('n'.repeat(255));
const OTHER = 'caf\xe9,\xff,\x80,\xed\xa0\x80,\xc3,\xef\xbb,\xf0\x9d,.\xff,\x7f'.split(',');

/** Names as bytes: whatever Linux and git allow, but for those that mean `.git` or a folder above elsewhere. */
const name = fc
  .oneof(
    fc.constantFrom(...UTF8).map((text) => Buffer.from(text)),
    fc.constantFrom(...OTHER).map((text) => Buffer.from(text, 'latin1')),
    fc.uint8Array({ minLength: 1, maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
  )
  .filter((bytes) => !/^[. ]*$|^git~\d|[\0/]/i.test(bytes.toString('latin1')));

const path = fc
  .oneof(
    { weight: 5, arbitrary: fc.array(name, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.array(name, { minLength: 12, maxLength: 12 }) },
  )
  .map((names) =>
    Buffer.concat(names.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from('/'), part]))),
  )
  .filter((bytes) => bytes.length < 3_000);

type Entry = { readonly mode: string; readonly content: Buffer };
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc
    .tuple(fc.constantFrom('100644', '100755'), fc.uint8Array({ maxLength: 4 }))
    .map(([mode, bytes]) => ({ mode, content: Buffer.from(bytes) })),
  fc
    .constantFrom('/etc/passwd', '../../..', 'a', '.')
    .map((target) => ({ mode: '120000', content: Buffer.from(target) })),
  fc.constantFrom('1', 'a').map((digit) => ({ mode: '160000', content: Buffer.from(digit) })),
);
const tree = fc.array(fc.tuple(path, entry), { minLength: 1, maxLength: 8 });

type Format = 'sha1' | 'sha256';

const octal = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');

/** One commit that gives the scope exactly these entries; a later entry takes the place of what is in its way. */
function importTree(entries: readonly (readonly [Buffer, Entry])[], format: Format, first: boolean): Buffer {
  const parts: Uint8Array[] = [
    Buffer.from('commit refs/heads/main\ncommitter T <t@example.com> 1767225600 +0000\ndata 1\nx\n'),
  ];
  if (first)
    parts.push(
      Buffer.from(
        `M 100644 inline .backtrail/config.yaml\ndata ${CONFIG.length}\n${CONFIG}\nM 100644 inline outside\ndata 1\nx\n`,
      ),
    );
  else parts.push(Buffer.from(`D ${FOLDER}\n`));
  for (const [bytes, { mode, content }] of entries) {
    const quoted = `"${FOLDER}/${octal(bytes)}"`;
    if (mode === '160000')
      parts.push(
        Buffer.from(`M 160000 ${content.toString().repeat(format === 'sha1' ? 40 : 64)} ${quoted}\n`),
      );
    else
      parts.push(
        Buffer.from(`M ${mode} inline ${quoted}\ndata ${content.length}\n`),
        content,
        Buffer.from('\n'),
      );
  }
  return Buffer.concat(parts);
}

/** The whole tree after native git restored the scope: in the index alone, because no file system takes every name. */
async function restoredByGit(repo: Repo, target: string): Promise<string> {
  const clone = await cloneRepo(repo, { args: ['--no-checkout'] });
  const git = (...args: string[]) => clone.gitWith({ env: { GIT_LITERAL_PATHSPECS: '1' } }, args);
  await git('read-tree', 'HEAD');
  if ((await git('ls-tree', target, FOLDER)) === '')
    await git('rm', '-r', '-q', '--cached', '--ignore-unmatch', '--', FOLDER);
  else await git('restore', `--source=${target}`, '--staged', '--', FOLDER);
  return git('write-tree');
}

describe.each(someOf<Format>(['sha1', 'sha256'], 1))(
  'odd trees of a %s repository, against git restore',
  (format) => {
    it('come back byte for byte, whatever their names, modes, links and submodules', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(tree, { minLength: 2, maxLength: 4 }), fc.nat(), async (history, pick) => {
          const repo = await createRepo({ bare: true, format });
          const input = Buffer.concat(
            history.map((entries, index) => importTree(entries, format, index === 0)),
          );
          await repo.gitWith({ input }, ['fast-import', '--quiet', '--force']);
          const line = (await repo.git('rev-list', '--first-parent', 'main')).split('\n');
          const target = line[pick % line.length] ?? '';
          const expected = await restoredByGit(repo, target);
          const engine = await engineOf(repo);
          const unchanged = expected === (await repo.git('rev-parse', 'main^{tree}'));
          const result = await rollBack(engine, { scope: 'production/web', to: target, allowRemoval: true });
          expect(result.status).toBe(unchanged ? 'unchanged' : 'completed');
          expect(await repo.git('rev-parse', 'main^{tree}')).toBe(expected);
          expect(result.base).toHaveLength(format === 'sha1' ? 40 : 64);
          await engine.close();
        }),
        { numRuns: runs(40, 3) },
      );
    });

    it.runIf(isProof)(
      'move in a worktree with the branch, where the file system takes the names',
      async () => {
        const repo = await createRepo({ format });
        const odd = [...UTF8, 'é'].map((text) => Buffer.from(text));
        odd.push(Buffer.from('caf\xe9', 'latin1'), Buffer.from('\xff/x', 'latin1'));
        const entries = (text: string): [Buffer, Entry][] => [
          ...odd.map((bytes): [Buffer, Entry] => [bytes, { mode: '100755', content: Buffer.from(text) }]),
          [Buffer.from('link'), { mode: '120000', content: Buffer.from(`/nowhere/${text}`) }],
          [Buffer.from('lib'), { mode: '160000', content: Buffer.from(text) }],
        ];
        const other: [Buffer, Entry][] = [
          [Buffer.from('link/a'), { mode: '100644', content: Buffer.from('') }],
        ];
        const history = [entries('1'), entries('2'), other];
        const input = Buffer.concat(history.map((step, index) => importTree(step, format, index === 0)));
        await repo.gitWith({ input }, ['fast-import', '--quiet']);
        await repo.git('reset', '--quiet', '--hard');
        const engine = await engineOf(repo);
        for (const target of ['v1', 'v2']) {
          const expected = await restoredByGit(
            repo,
            (await engine.plan({ scope: 'production/web', to: target })).plan.target.commit,
          );
          await rollBack(engine, { scope: 'production/web', to: target });
          expect(await repo.git('rev-parse', 'main^{tree}')).toBe(expected);
          expect(await repo.git('status', '--porcelain')).toBe('');
          const file = Buffer.from(`${repo.folder}/${FOLDER}/caf\xe9`, 'latin1');
          expect(await readFile(file, 'utf8')).toBe(target === 'v1' ? '1' : '2');
        }
      },
    );
  },
);
