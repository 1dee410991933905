import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { restoreField } from '../../../engine/yaml/edit.ts';
import { differingLeaves, isExpected, valuesOf } from '../../helpers/yaml-leaves.ts';

const folder = process.env['BACKTRAIL_REAL_REPOS'] ?? '';
const bundle = (name: string) => join(folder, `${name}.bundle`);
const skipped = folder === '' || !existsSync(bundle('kubernetes-management'));

interface Revision {
  readonly path: string;
  readonly base: string;
  readonly target: string;
}

/** Every `every`-th change of a YAML or JSON file: what it became, and what it was. */
function revisionsOf(name: string, every: number): Revision[] {
  const scratch = mkdtempSync(join(tmpdir(), 'backtrail-yaml-'));
  const git = (args: string[], input?: string) =>
    execFileSync('git', ['-C', scratch, ...args], {
      maxBuffer: 2 ** 30,
      input,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  try {
    git(['init', '--quiet', '--bare']);
    git(['fetch', '--quiet', bundle(name), '+refs/heads/*:refs/heads/*']);
    const log = git([
      'log',
      '--no-merges',
      '--raw',
      '--no-renames',
      '--format=',
      '--abbrev=40',
      'main',
    ]).toString();
    const changes = [...log.matchAll(/^:\d+ \d+ (\w{40}) (\w{40}) M\t(.*\.(?:ya?ml|json))$/gm)];
    const chosen = changes.filter((_, index) => index % every === 0);
    const contents = readBlobs(
      git(['cat-file', '--batch'], chosen.map(([, old, now]) => `${old}\n${now}\n`).join('')),
    );
    return chosen.map(([, , , path = ''], index) => ({
      path,
      target: contents[2 * index] ?? '',
      base: contents[2 * index + 1] ?? '',
    }));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Contents of `cat-file --batch`: `<id> blob <size>`, a line break, the bytes, a line break. */
function readBlobs(output: Buffer): string[] {
  const contents: string[] = [];
  for (let at = 0; at < output.length; ) {
    const header = output.indexOf('\n', at);
    const size = Number(output.subarray(at, header).toString().split(' ')[2]);
    contents.push(output.subarray(header + 1, header + 1 + size).toString());
    at = header + size + 2;
  }
  return contents;
}

function count(revisions: readonly Revision[]): Record<string, number> {
  const counts: Record<string, number> = { right: 0, wrong: 0 };
  for (const { base, target } of revisions) {
    const [values, old] = [valuesOf(base), valuesOf(target)];
    if (!values || !old) continue;
    for (const leaf of differingLeaves(values, old)) {
      const result = restoreField({ base, target, selector: leaf.selector });
      const isRight = result.ok && isExpected(leaf, values, old, valuesOf(result.text));
      const outcome = !result.ok ? `refused: ${result.reason}` : isRight ? 'right' : 'wrong';
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    }
  }
  return counts;
}

describe.skipIf(skipped)('fields of real repositories (needs BACKTRAIL_REAL_REPOS)', () => {
  it.each([
    ['flux2-kustomize-helm-example', 1],
    ['kubernetes-management', 45],
  ])('restores fields of %s as setting the value would, and never wrongly', (name, every) => {
    const counts = count(revisionsOf(name, every));
    const total = Object.values(counts).reduce((sum, number) => sum + number, 0);
    process.stdout.write(`${name}: ${total} fields, ${JSON.stringify(counts)}\n`);
    expect(counts['wrong']).toBe(0);
    expect(counts['right']).toBeGreaterThanOrEqual(total * 0.97);
    expect(total).toBeGreaterThan(100);
  });
});
