import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildFixturesRepo, type Fixtures, readInitialTree } from '../scripts/build-fixtures-repo.ts';
import { deliver } from '../scripts/fixtures/deliver.ts';
import { fixtures } from './helpers/repositories/fixtures.ts';
import { isProof, someOf } from './helpers/run/proof.ts';

let built: Fixtures;
beforeAll(async () => {
  built = await fixtures();
});

const git = (...args: string[]) => execFileSync('git', args, { cwd: built.directory, encoding: 'utf8' });

function treeAt(revision: string): Map<string, string> {
  const paths = git('ls-tree', '-r', '-z', '--name-only', revision).split('\0').filter(Boolean);
  return new Map(paths.map((path) => [path, git('show', `${revision}:${path}`)]));
}

const outputs = (files: ReadonlyMap<string, string>) =>
  Object.fromEntries([...files].filter(([path]) => path.startsWith('delivery/')));

const GATEWAY = 'tenants/acme/production/services/api-gateway';

describe('the example repository', () => {
  it('has the same commit ids every time, whatever the configuration of the user says', async () => {
    const home = mkdtempSync(join(tmpdir(), 'backtrail-home-'));
    const before = { ...process.env };
    try {
      writeFileSync(
        join(home, 'hostile'),
        '[user]\nname = Somebody\n[core]\nautocrlf = true\n[init]\ndefaultObjectFormat = sha256\n',
      );
      Object.assign(process.env, {
        GIT_CONFIG_GLOBAL: join(home, 'hostile'),
        GIT_DIR: home,
        GIT_AUTHOR_DATE: '2001-01-01',
        TZ: 'Asia/Tokyo',
      });
      const again = await buildFixturesRepo(join(home, 'again'), { bare: true });
      expect(again.commits).toEqual(built.commits);
    } finally {
      for (const name of ['GIT_CONFIG_GLOBAL', 'GIT_DIR', 'GIT_AUTHOR_DATE', 'TZ']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
      rmSync(home, { recursive: true, force: true });
    }
  });

  it.runIf(isProof)(
    'is a sound repository: clean, checked out, nothing but main, without a file of ours left in it',
    () => {
      expect(git('fsck', '--full', '--strict')).toBe('');
      expect(git('status', '--porcelain')).toBe('');
      expect(git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main\n');
      expect(git('rev-parse', 'main').trim()).toBe(built.id('tip'));
      expect([...treeAt('main').keys()]).not.toContain('history.yaml');
    },
  );

  it('has 40 to 60 commits by people and a bot, in the order of their dates, and merges', () => {
    expect(built.commits.length).toBeGreaterThanOrEqual(40);
    expect(built.commits.length).toBeLessThanOrEqual(60);
    const line = git('log', '--first-parent', '--reverse', '--format=%H', 'main').trim().split('\n');
    expect(built.commits.filter(({ onMain }) => onMain).map(({ id }) => id)).toEqual(line);
    const times = git('log', '--first-parent', '--reverse', '--format=%ct', 'main')
      .trim()
      .split('\n')
      .map(Number);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(git('log', '--merges', '--format=%H', 'main').trim().split('\n')).toHaveLength(2);
    expect(git('log', '--format=%an', 'main')).toMatch(/image-bot/);
  });

  it('begins with the checked-in tree, byte for byte', () => {
    const tree = treeAt(built.id('initial'));
    expect(Object.fromEntries(tree)).toEqual(Object.fromEntries(readInitialTree()));
    expect(tree.get('tenants/globex/production/services/catalog/service.yaml')).toContain('\r\n');
    expect(tree.get('tenants/globex/production/services/search/service.yaml')).not.toMatch(/\n$/);
  });

  it('breaks api-gateway with one commit, which sets the tag and two more fields', () => {
    const incident = built.id('incident');
    expect(git('diff', '--name-only', `${incident}^`, incident).trim().split('\n')).toEqual([
      'delivery/acme/production/api-gateway.yaml',
      `${GATEWAY}/service.yaml`,
    ]);
    const before: unknown = parse(git('show', `${built.id('good')}:${GATEWAY}/service.yaml`));
    const after: unknown = parse(git('show', `${incident}:${GATEWAY}/service.yaml`));
    expect(before).toMatchObject({ image: { tag: 'v2.0.5' }, env: { UPSTREAM_TIMEOUT: '2s' } });
    expect(after).toMatchObject({
      image: { tag: 'v2.1.0' },
      env: { UPSTREAM_TIMEOUT: '200ms' },
      probes: { readiness: { path: '/health' } },
    });
  });

  it('has nothing change in api-gateway between the good revision and the incident but its secret', () => {
    const paths = git('diff', '--name-only', built.id('good'), `${built.id('incident')}^`, '--', GATEWAY);
    expect(paths).toBe(`${GATEWAY}/secrets/api-gateway.enc.yaml\n`);
  });

  it('lets secrets, the identity and other services move on after the good revision', () => {
    const paths = git('diff', '--name-only', built.id('good'), 'main', '--', 'tenants/acme/production')
      .trim()
      .split('\n');
    expect(paths).toEqual([
      'tenants/acme/production/environment.yaml',
      `${GATEWAY}/secrets/api-gateway.enc.yaml`,
      `${GATEWAY}/service.yaml`,
      'tenants/acme/production/services/billing/secrets/billing.enc.yaml',
      'tenants/acme/production/services/billing/service.yaml',
      'tenants/acme/production/services/checkout/service.yaml',
      'tenants/acme/production/services/notifications/autoscaler.yaml',
      'tenants/acme/production/services/web/service.yaml',
    ]);
    expect(git('diff', '--name-only', built.id('incident'), built.id('billing-after-incident'))).toContain(
      'tenants/acme/production/services/billing/service.yaml',
    );
  });

  it('keeps every line but the one that a bump changes, with its marker comment', () => {
    const bump = built.commits.find(({ subject }) => subject === 'acme/staging: billing 1.4.1')?.id ?? '';
    const diff = git('diff', '--unified=0', `${bump}^`, bump, '--', 'tenants');
    expect(diff.split('\n').filter((line) => /^[-+] /.test(line))).toEqual([
      '-  tag: "1.4.0" # {"$imagepolicy": "acme-staging:billing:tag"}',
      '+  tag: "1.4.1" # {"$imagepolicy": "acme-staging:billing:tag"}',
    ]);
  });

  it.each(someOf(['initial', 'good', 'incident', 'tip'], 2))(
    'holds at %s the outputs that its sources render to',
    async (key) => {
      const committed = treeAt(built.id(key));
      const rendered = new Map([...committed].filter(([path]) => !path.startsWith('delivery/')));
      await deliver(rendered, [...rendered.keys()]);
      expect(outputs(committed)).toEqual(outputs(rendered));
      expect(Object.keys(outputs(committed)).length).toBeGreaterThanOrEqual(16);
    },
  );

  it('never holds a value of an encrypted file in an output', () => {
    const text = Object.values(outputs(treeAt('main'))).join('');
    expect(text).not.toMatch(/ENC\[|sops/);
    expect(text).toContain('secretKeyRef');
  });

  it('refuses a folder that is not empty', async () => {
    await expect(buildFixturesRepo(built.directory)).rejects.toThrow(/is not empty/);
  });
});
