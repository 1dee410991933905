import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { release, requireContents } from '../../scripts/release.ts';
import { temporaryFolder } from '../helpers/repositories/repo.ts';
import { isProof, someOf } from '../helpers/run/proof.ts';

const ROOT = resolve(import.meta.dirname, '../..');

let clone: string;
let start: string;
const git = (...args: string[]) => execFileSync('git', ['-C', clone, ...args], { encoding: 'utf8' }).trim();
const read = (path: string) => readFileSync(join(clone, path), 'utf8');
const write = (path: string, text: string) => writeFileSync(join(clone, path), text);
const commit = (message: string) => git('commit', '--quiet', '--all', '--message', message);

beforeAll(async () => {
  const folder = await temporaryFolder();
  clone = join(folder, 'clone');
  execFileSync('git', ['clone', '--quiet', '--no-tags', ROOT, clone]);
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
  appendFileSync(join(clone, '.git/info/exclude'), 'node_modules\n');
  git('checkout', '--quiet', '-B', 'main');
  git('config', 'user.name', 'Jane');
  git('config', 'user.email', 'jane@example.com');
  git('config', 'commit.gpgsign', 'false');
  git('config', 'tag.gpgsign', 'false');
  write(
    'CHANGELOG.md',
    '# Changelog\n\n## Unreleased\n\n- More.\n\n## 97.0.0\n\n- New.\n\n## 98.0.0\n\n## 0.1.0\n\nFirst.\n',
  );
  // What `npm ci` built here, or is built once; from here on the script `build` puts that there.
  const built = join(folder, 'built');
  if (existsSync(join(ROOT, 'dist'))) cpSync(join(ROOT, 'dist'), built, { recursive: true });
  else {
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: clone, stdio: 'pipe' });
    renameSync(join(clone, 'dist'), built);
  }
  write('package.json', read('package.json').replace(/"build": .*/, `"build": "cp -R '${built}' dist",`));
  commit('Prepare');
  start = git('rev-parse', 'HEAD');
});

beforeEach(() => {
  git('checkout', '--quiet', '-B', 'main', start);
  git('reset', '--quiet', '--hard', start);
  git('clean', '--quiet', '--force');
  rmSync(join(clone, 'dist'), { recursive: true, force: true });
});

function run(version: string, dryRun = false): string[] {
  const printed: string[] = [];
  release({ root: clone, version, dryRun, print: (line) => void printed.push(line) });
  return printed;
}

/** Nothing was committed, tagged or changed by a release. */
const isUntouched = () => [git('rev-parse', 'HEAD'), git('tag', '--list')].join(' ') === `${start} `;

describe('a release', () => {
  it('is a commit of the version and a tag on it', () => {
    expect(run('97.0.0').at(-1)).toContain('git push --atomic origin main v97.0.0');
    expect(git('log', '-1', '--format=%s')).toBe('Release 97.0.0');
    expect(git('diff', '--name-only', start).split('\n')).toEqual(['package-lock.json', 'package.json']);
    expect(git('diff', '--numstat', start)).toBe('2\t2\tpackage-lock.json\n1\t1\tpackage.json');
    expect(git('rev-parse', 'v97.0.0^{commit}')).toBe(git('rev-parse', 'HEAD'));
    expect(git('cat-file', '-t', 'v97.0.0')).toBe('tag');
    expect(git('status', '--porcelain')).toBe('');
    expect(() => run('97.0.0')).toThrow('97.0.0 is not newer than 97.0.0.');
    git('reset', '--quiet', '--hard', start);
    expect(() => run('97.0.0')).toThrow('The tag v97.0.0 exists.');
    git('tag', '--delete', 'v97.0.0');
  });

  it.runIf(isProof)('is checked and not made by a dry run', () => {
    expect(run('97.0.0', true)).toEqual([
      'main is clean, CHANGELOG.md has 97.0.0',
      expect.stringMatching(/^the package holds \d+ files, all of them allowed$/),
      'dry run: nothing was changed; the release would be v97.0.0',
    ]);
    expect(git('status', '--porcelain')).toBe('');
    expect(isUntouched()).toBe(true);
  });

  it.each(
    someOf(
      [
        ['1.2', 'is not a valid version'],
        ['v1.2.3', 'is not a valid version'],
        ['01.2.3', 'is not a valid version'],
        ['0.0.9', '0.0.9 is not newer than'],
        ['99.0.0', 'CHANGELOG.md has no section "## 99.0.0"'],
        ['98.0.0', 'The section 98.0.0 of CHANGELOG.md is empty.'],
      ],
      1,
    ),
  )('of %s is refused', (version, message) => {
    expect(() => run(version)).toThrow(message);
    expect(isUntouched()).toBe(true);
  });

  it('of a version after its candidates is newer, and not the other way round', () => {
    write('package.json', read('package.json').replace(/"version": "[^"]*"/, '"version": "97.0.0-rc.9"'));
    commit('Candidate');
    expect(() => run('97.0.0-rc.9')).toThrow('is not newer');
    expect(() => run('97.0.0-rc.10')).toThrow('no section "## 97.0.0-rc.10"');
    expect(() => run('97.0.1')).toThrow('no section "## 97.0.1"');
  });

  it('is refused on another branch, and with changes', () => {
    git('checkout', '--quiet', '-b', 'other');
    expect(() => run('97.0.0')).toThrow('Releases are made on the branch main.');
    git('checkout', '--quiet', 'main');
    write('new-file', '');
    expect(() => run('97.0.0')).toThrow('The checkout has changes:\n?? new-file');
  });

  it('is refused where the lock file names a registry', () => {
    write('package-lock.json', read('package-lock.json').replace('{', '{ "resolved": "https://registry",'));
    commit('An address');
    expect(() => run('97.0.0')).toThrow('holds addresses of a registry');
  });
});

describe('the package', () => {
  const named = { bin: { backtrail: 'dist/cli/main.js' }, exports: { './package.json': './package.json' } };
  const files = ['package.json', 'README.md', 'LICENSE', 'dist/cli/main.js', 'docs/decisions/001-x.md'];

  it('may hold what is built, and documents', () => {
    expect(() => requireContents(files, named)).not.toThrow();
  });

  it.each([
    '.env',
    'docs/notes.txt',
    'dist/test/x.js',
    'dist/cli/main.js.map',
    'engine/index.ts',
    'docs/../x.md',
  ])('must not hold %s', (path) => {
    expect(() => requireContents([...files, path], named)).toThrow(`not allowed: ${path}`);
  });

  it('must not lack what it names', () => {
    for (const path of files.slice(0, 4))
      expect(() =>
        requireContents(
          files.filter((file) => file !== path),
          named,
        ),
      ).toThrow(`lack files: ${path}`);
  });
});
