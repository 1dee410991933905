/** The proof on a real host is not run here: what it does is, against the host of these tests. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HOST_KINDS, type HostKind } from '../../engine/model/index.ts';
import { proveHost } from '../../scripts/proof/host/run.ts';
import { createRepo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { closeAfterTest } from '../helpers/run/lifetime.ts';
import { isProof, runs } from '../helpers/run/proof.ts';
import { startHost } from '../helpers/servers/host/host.ts';

async function hostOf(kind: HostKind) {
  const repo = await createRepo({ bare: true });
  await repo.replay([{ files: { 'README.md': 'Of somebody\n' }, message: 'Theirs' }]);
  const host = await startHost({ kind, bare: repo.folder });
  closeAfterTest(() => host.close());
  const folder = await temporaryFolder();
  const hostsFile = join(folder, 'hosts.yaml');
  await writeFile(join(folder, 'token'), `${host.token}\n`);
  await writeFile(hostsFile, `"${host.name}": { kind: ${kind}, api: "${host.api}", token: token }\n`);
  const refs = () => repo.git('for-each-ref', '--format=%(refname) %(objectname)');
  return { host, hostsFile, refs };
}

/** What it says, and how it ends. */
async function prove(
  ...[options, environment = {}]: [Parameters<typeof proveHost>[0], Record<string, string>?]
) {
  const lines: string[] = [];
  const code = await proveHost(options, (line) => void lines.push(line), environment);
  return { code, text: lines.join('\n') };
}

const SCENES: Readonly<Record<HostKind, string>> = {
  github: 'squash,closed',
  gitlab: 'merge,inside',
  gitea: 'pushed,auto',
};

describe.each(HOST_KINDS.slice(0, runs(HOST_KINDS.length, 1)))('the proof on a repository of %s', (kind) => {
  it.runIf(isProof)('plays its scenes, and leaves everything as it was', async () => {
    const { host, hostsFile, refs } = await hostOf(kind);
    const before = await refs();
    const { code, text } = await prove({ 'host-file': hostsFile, repository: host.url, only: SCENES[kind] });
    expect(text).toContain('2 passed, 0 failed, 0 skipped.');
    expect(code).toBe(0);
    expect(text).not.toContain(host.token);
    expect(await refs()).toBe(before);
    expect((await host.pulls()).filter(({ state }) => state === 'open')).toEqual([]);
  });
});

describe('the proof on a host', () => {
  it.runIf(isProof)('says which scene failed, and why', async () => {
    const { host, hostsFile, refs } = await hostOf('github');
    const before = await refs();
    host.fail({ match: 'POST /repos/acme/config/pulls', status: 422, body: { message: 'No' }, times: 100 });
    const { code, text } = await prove({ 'host-file': hostsFile, repository: host.url, only: 'opened' });
    expect({ code, text }).toMatchObject({
      code: 1,
      text: expect.stringMatching(/^opened +failed .+ It is proposed/m),
    });
    expect(await refs()).toBe(before);
  });

  it('asks for what it lacks, and is not green', async () => {
    expect(await prove({})).toEqual({ code: 2, text: expect.stringContaining('--host-file FILE') });
    const { host, hostsFile } = await hostOf('gitea');
    const given = { BACKTRAIL_HOSTS: hostsFile };
    expect(await prove({}, given)).toEqual({ code: 2, text: expect.stringContaining('--repository URL') });
    expect(await prove({ repository: host.url, only: 'none' }, given)).toMatchObject({ code: 2 });
    await writeFile(join(hostsFile, '../token'), 'not-a-token\n');
    expect(await prove({ repository: host.url }, given)).toMatchObject({ code: 2 });
    expect(host.calls.filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});
