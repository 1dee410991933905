/** `npx tsx scripts/bench/init.ts [FILES]`: `init --dry-run` on trees of that many files (10,000), in a process of its own: seconds, and the most memory. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { benchEnvironment, say } from './measure.ts';

const FILES = Number(process.argv[2] ?? 10_000);
const MAIN = resolve(import.meta.dirname, '../../dist/cli/main.js');
const VALUES = 'image:\n  repository: registry.example.com/app\n  tag: v1.2.3\nreplicaCount: 2\n';

/** Paths of some shapes, each of `FILES` files or a little less. */
const TREES: Readonly<Record<string, (index: number) => string>> = {
  'helm values': (index) => `charts/service-${Math.floor(index / 10)}/values-${STAGES[index % 10]}.yaml`,
  folders: (index) =>
    `envs/${STAGES[index % 10]}/service-${Math.floor(index / 20)}/${index % 20 < 10 ? 'values' : 'patch'}.yaml`,
  tenants: (index) =>
    `tenants/tenant-${Math.floor(index / 100)}/${STAGES[index % 5]}/services/service-${Math.floor((index % 100) / 5)}/service.yaml`,
  'one folder': (index) => `manifests/thing-${index}.yaml`,
};
const STAGES = [
  'prod',
  'staging',
  'dev',
  'qa',
  'uat',
  'prod-eu',
  'prod-us',
  'staging-eu',
  'staging-us',
  'demo',
];

const folder = mkdtempSync(join(tmpdir(), 'backtrail-bench-init-'));
const env = { ...benchEnvironment(folder), LC_ALL: 'C' };
try {
  for (const [name, pathOf] of Object.entries(TREES)) {
    const repo = join(folder, `${name.replaceAll(' ', '-')}.git`);
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', repo], { env });
    const changes = Array.from(
      { length: FILES },
      (_, index) => `M 100644 inline ${pathOf(index)}\ndata ${VALUES.length}\n${VALUES}`,
    );
    const stream = `commit refs/heads/main\ncommitter B <b@example.com> 1790000000 +0000\ndata 1\nx\n${changes.join('\n')}\n`;
    execFileSync('git', ['-C', repo, 'fast-import', '--quiet'], { env, input: stream });
    const code = `process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS + '\\n')); process.argv.splice(1, 0, ${JSON.stringify(MAIN)}); await import(${JSON.stringify(MAIN)});`;
    const started = performance.now();
    const { stderr, status } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', code, '--', '--repo', repo, 'init', '--dry-run', '-o', 'json'],
      { env, encoding: 'utf8', maxBuffer: 2 ** 28 },
    );
    const peak = Number(/peak (\d+)/.exec(stderr)?.[1] ?? 0) / 1024;
    say(
      `${name}: ${((performance.now() - started) / 1000).toFixed(1)} s, ${peak.toFixed(0)} MB, exit ${status}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
