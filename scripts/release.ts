/**
 * Makes a release of a clean main: version, commit and tag. It pushes and publishes nothing.
 *
 *     npm run release -- 0.2.0 [--dry-run]
 *
 * `--dry-run` makes every check and changes nothing.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';

/** What the package may hold. */
const ALLOWED: readonly RegExp[] = [
  /^(package\.json|README\.md|ARCHITECTURE\.md|CHANGELOG\.md|LICENSE)$/,
  /^dist\/(cli|engine|workers)\/[\w./-]+\.(js|d\.ts)$/,
  /^dist\/cli\/(LICENSES\.txt|usage\.json|package\.json|secretlint\.cjs|(reader|commands)-[\w-]+\.cjs)$/,
  /^dist\/console\/(index\.html|LICENSES\.md|assets\/[\w-]+\.(js|css|svg))$/,
  /^examples\/[\w-]+\.(mjs|sh)$/,
  /^deploy\/(?:README\.md|Dockerfile(?:\.dockerignore)?|kubernetes\/(?:config\/)?[\w.-]+)$/,
  /^docs\/(decisions\/)?[\w-]+\.md$/,
  /^docs\/[\w-]+\.(svg|png|graphql|schema\.json)$/,
];

/** A release that cannot be made; the message says why. */
export class ReleaseError extends Error {}

export interface ReleaseOptions {
  /** The checkout. */
  readonly root: string;
  readonly version: string;
  readonly dryRun: boolean;
  readonly print: (line: string) => void;
}

/** @throws {ReleaseError} before anything is changed. */
export function release({ root, version, dryRun, print }: ReleaseOptions): void {
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 }).trim();
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const pack = PACKAGE.parse(JSON.parse(read('package.json')));

  requireNewer(version, pack.version);
  if (run('git', 'branch', '--show-current') !== 'main') fail('Releases are made on the branch main.');
  const changed = run('git', 'status', '--porcelain');
  if (changed !== '') fail(`The checkout has changes:\n${changed}`);
  const tag = `v${version}`;
  if (run('git', 'tag', '--list', tag) !== '') fail(`The tag ${tag} exists.`);
  requireSection(read('CHANGELOG.md'), version);
  if (/"resolved":/.test(read('package-lock.json'))) fail('package-lock.json holds addresses of a registry.');
  print(`main is clean, CHANGELOG.md has ${version}`);

  run('npm', 'run', '--silent', 'build');
  const [packed] = PACKED.parse(
    JSON.parse(run('npm', 'pack', '--dry-run', '--json', '--ignore-scripts', '--silent')),
  );
  requireContents(packed?.files.map(({ path }) => path) ?? [], pack);
  print(`the package holds ${packed?.files.length} files, all of them allowed`);

  if (dryRun) return print(`dry run: nothing was changed; the release would be ${tag}`);
  run('npm', 'version', version, '--no-git-tag-version', '--ignore-scripts');
  run('git', 'commit', '--quiet', '--message', `Release ${version}`, 'package.json', 'package-lock.json');
  run('git', 'tag', '--annotate', '--message', `Backtrail ${version}`, tag);
  print(`committed and tagged ${tag}; publish it with: git push --atomic origin main ${tag}`);
}

const PACKAGE = z.object({
  version: z.string(),
  bin: z.record(z.string(), z.string()),
  exports: z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())])),
});
const PACKED = z.array(z.object({ files: z.array(z.object({ path: z.string() })) }));

function fail(message: string): never {
  throw new ReleaseError(message);
}

/** X.Y.Z, or X.Y.Z-word.N. */
function numbersOf(version: string): readonly [core: number[], pre: string | undefined] {
  const match = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([a-z]+\.(?:0|[1-9]\d*)))?$/.exec(version);
  if (match === null) fail(`${JSON.stringify(version)} is not a valid version: write X.Y.Z or X.Y.Z-rc.1.`);
  return [match.slice(1, 4).map(Number), match[4]];
}

function requireNewer(version: string, before: string): void {
  const [[next, pre], [last, lastPre]] = [numbersOf(version), numbersOf(before)];
  const at = next.findIndex((number, index) => number !== last[index]);
  const isNewer =
    at >= 0
      ? (next[at] ?? 0) > (last[at] ?? 0)
      : lastPre !== undefined &&
        (pre === undefined || pre.localeCompare(lastPre, 'en', { numeric: true }) > 0);
  if (!isNewer) fail(`${version} is not newer than ${before}.`);
}

function requireSection(changelog: string, version: string): void {
  const sections = changelog.split(/^## /m);
  const section = sections.find((text) => text.split('\n', 1)[0]?.trim() === version);
  if (section === undefined) fail(`CHANGELOG.md has no section "## ${version}": rename "## Unreleased".`);
  if (section.trim() === version) fail(`The section ${version} of CHANGELOG.md is empty.`);
}

/** @throws {ReleaseError} where a file is not allowed, or one that package.json names is missing. */
export function requireContents(
  files: readonly string[],
  { bin, exports }: Pick<z.infer<typeof PACKAGE>, 'bin' | 'exports'>,
): void {
  const strange = files.filter((path) => !ALLOWED.some((pattern) => pattern.test(path)));
  if (strange.length > 0) fail(`The package would hold files that are not allowed: ${strange.join(', ')}`);
  const named = [
    ...Object.values(bin),
    ...Object.values(exports).flatMap((value) =>
      typeof value === 'string' ? [value] : Object.values(value),
    ),
    'LICENSE',
    'README.md',
  ];
  const missing = named.map((path) => path.replace(/^\.\//, '')).filter((path) => !files.includes(path));
  if (missing.length > 0) fail(`The package would lack files: ${missing.join(', ')}`);
}

function main(): number {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { 'dry-run': { type: 'boolean', default: false } },
    });
    const [version, ...more] = positionals;
    if (version === undefined || more.length > 0)
      fail('Name one version: npm run release -- X.Y.Z [--dry-run]');
    const root = resolve(import.meta.dirname, '..');
    const print = (line: string) => void process.stdout.write(`${line}\n`);
    release({ root, version, dryRun: values['dry-run'], print });
    return 0;
  } catch (error) {
    process.stderr.write(`release: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  process.exitCode = main();
