import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CORE_SCHEMA, loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { restoreField } from '../../../../engine/yaml/edit/edit.ts';
import { formatSelector } from '../../../../engine/yaml/core/selector.ts';
import { collateralLines } from '../../../helpers/trees/collateral.ts';
import { runs } from '../../../helpers/run/proof.ts';
import { differingLeaves, isExpected } from '../../../helpers/trees/yaml-leaves.ts';

const folder = process.env['BACKTRAIL_REAL_REPOS'] ?? '';
const bundle = (name: string) => join(folder, `${name}.bundle`);
const skipped = folder === '' || !existsSync(bundle('kubernetes-management'));

interface Revision {
  readonly path: string;
  readonly base: string;
  readonly target: string;
}

/** Every `every`-th change of a YAML or JSON file: what it became, and what it was `back` changes before, for each sample. */
function revisionsOf(name: string, samples: readonly Sample[]): Revision[][] {
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
    return samples.map(({ every, back, under = Number.POSITIVE_INFINITY }) => {
      const pairs = changes.flatMap(([, old = '', now = '', path = ''], index) => {
        if (index % every !== 0) return [];
        const same = changes.slice(index).filter(([, , , other]) => other === path);
        return { path, now, older: back === 1 ? old : (same[back - 1]?.[1] ?? old) };
      });
      const contents = readBlobs(
        git(['cat-file', '--batch'], pairs.map(({ older, now }) => `${older}\n${now}\n`).join('')),
      );
      const revisions = pairs.map(({ path }, index) => ({
        path,
        target: contents[2 * index] ?? '',
        base: contents[2 * index + 1] ?? '',
      }));
      return revisions.filter(({ base }) => base.length < under);
    });
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

/** Values as js-yaml reads them; null where it cannot. */
function readIndependently(text: string): unknown[] | null {
  try {
    return loadAll(text, null, { schema: CORE_SCHEMA }).filter(
      (value) => value !== null && value !== undefined,
    );
  } catch {
    return null;
  }
}

interface Tally {
  fields: number;
  right: number;
  readonly wrong: string[];
  readonly collateral: string[];
  readonly refused: Map<string, number>;
}

function judge(tally: Tally, { path, base, target }: Revision): void {
  const [values, old] = [readIndependently(base), readIndependently(target)];
  if (!values || !old) return;
  for (const leaf of differingLeaves(values, old)) {
    const what = `${path}#${formatSelector(leaf.selector)}`;
    const result = restoreField({ base, target, selector: leaf.selector });
    tally.fields += 1;
    if (!result.ok) {
      const reason = `${result.reason}: ${result.message.replace(/ \(.*|[/\d].*/s, '')}`;
      tally.refused.set(reason, (tally.refused.get(reason) ?? 0) + 1);
    } else if (!isExpected(leaf, values, old, readIndependently(result.text))) tally.wrong.push(what);
    else if (collateralLines(leaf, base, result.text) > 0) tally.collateral.push(what);
    else tally.right += 1;
  }
}

interface Sample {
  readonly every: number;
  readonly back: number;
  /** Only files with fewer characters: large ones take most of the time and are alike. */
  readonly under?: number;
}

const REPOSITORIES: readonly (readonly [name: string, fields: number, samples: readonly Sample[]])[] = [
  [
    'flux2-kustomize-helm-example',
    300,
    [
      { every: 1, back: 1 },
      { every: 1, back: 4 },
    ],
  ],
  [
    'kubernetes-management',
    runs(2000, 250),
    [
      { every: runs(150, 600), back: 1 },
      { every: runs(5, 40), back: 1, under: 4000 },
      { every: runs(18, 144), back: 12, under: 5000 },
    ],
  ],
];

describe.skipIf(skipped)('fields of real repositories (needs BACKTRAIL_REAL_REPOS)', () => {
  it.each(REPOSITORIES)(
    'of %s come back as another parser reads them, no other line changes, and hardly any is refused',
    (name, least, samples) => {
      const tally: Tally = { fields: 0, right: 0, wrong: [], collateral: [], refused: new Map() };
      for (const revision of revisionsOf(name, samples).flat()) judge(tally, revision);
      const { fields, right, wrong, collateral, refused } = tally;
      const sum = [...refused.values()].reduce((total, number) => total + number, 0);
      process.stdout.write(
        `${name}: ${fields} fields, ${right} right, ${wrong.length} wrong, ${collateral.length} with collateral lines, ${sum} refused\n`,
      );
      for (const [reason, number] of refused) process.stdout.write(`  ${number} ${reason}\n`);
      expect({ wrong, collateral }).toEqual({ wrong: [], collateral: [] });
      expect(right).toBeGreaterThanOrEqual(fields * 0.99);
      expect(fields).toBeGreaterThanOrEqual(least);
    },
  );
});
