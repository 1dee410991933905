/** The command line on a server, beside the same on the repository: the same output, JSON and exit codes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { exitCodeOf, incidentSchema, incidentValue, prepareIncident } from '../../workers/incident/index.ts';
import { resultTable } from '../../cli/commands/incident/tables.ts';
import { makeStyle } from '../../cli/print/style.ts';
import { continueRequest } from '../../cli/propose.ts';
import { openRemote } from '../../cli/remote/engine.ts';
import { configOf, policedRepo, POLICY } from '../helpers/people/requests.ts';
import { backtrail } from '../helpers/program/cli.ts';
import { engineOf } from '../helpers/repositories/engine.ts';
import { type Repo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { type Api, startApi } from '../helpers/servers/api.ts';
import { isProof } from '../helpers/run/proof.ts';

let api: Api;
let repo: Repo;
let tokenFile: string;
beforeAll(async () => {
  const unsigned = POLICY.environments.map((each) => ({ ...each, unsignedApprovals: true }));
  repo = await policedRepo(configOf({ environments: unsigned }));
  await repo.commit({ 'apps/prod/api/app.yaml': 'image: v3\nreplicas: 2\n' });
  const engine = await engineOf(repo, { lives: 'file' });
  const person = (await engine.identity()) ?? undefined;
  api = await startApi(engine, { lives: 'file', ...(person && { person }) });
  tokenFile = join(await temporaryFolder(), 'token');
  await writeFile(tokenFile, `${api.token}\n`);
});

const asked = (args: readonly string[]) =>
  backtrail(repo, ['--server', api.url, '--token-file', tokenFile, ...args]);

describe('what only looks', () => {
  it.each([
    ['environments'],
    ['history', 'prod/api'],
    ['history', 'prod', '--limit', '1'],
    ['history', 'prod/api', '--field', 'apps/prod/api/app.yaml#/image'],
    ['history', 'nowhere'],
    ['history', 'prod/nothing'],
    ['history', 'a/b/c'],
    ['show', 'prod/api', 'v2'],
    ['show', 'prod/api', 'v9'],
    ['show', 'prod', 'HEAD'],
    ['compare', 'prod/api', 'v1', 'v2'],
    ['compare', 'prod/api', 'v2'],
    ['holds'],
    ['break-glass', 'list'],
    ['deployment', 'list'],
    ['deployment', 'exists', '--image', 'v1'],
    ['deployment', 'show', 'nothing'],
  ])('says the same with %s %s %s', async (...args) => {
    for (const output of ['text', 'json'] as const) {
      const [there, here] = [
        await asked(['-o', output, ...args]),
        await backtrail(repo, ['-o', output, ...args]),
      ];
      expect(there).toEqual(here);
    }
  });

  it.runIf(isProof)('plans the same way back to a deployment, and refuses it in the same words', async () => {
    const recorded = async (status: string, commit: string) => {
      const line = ['-o', 'json', 'deployment', 'record', 'prod/api', '--status', status, '--commit', commit];
      return String(Object(JSON.parse((await backtrail(repo, line)).stdout)).id);
    };
    const [good, bad] = [await recorded('deployed', 'v1'), await recorded('failed', 'v2')];
    for (const args of [
      [good, '--dry-run'],
      [good.slice(-8), '--dry-run', '--reason', 'v3 is bad'],
      [bad, '--yes'],
      ['nothing', '--yes'],
    ]) {
      const line = ['deployment', 'restore', ...args];
      const [there, here] = [await asked(line), await backtrail(repo, line)];
      expect(there).toEqual(here);
    }
    const made = await asked(['-o', 'json', 'deployment', 'restore', good, '--yes']);
    const { requestId } = Object(JSON.parse(made.stdout));
    const { body } = await api.get(`/api/v1/rollbacks/${requestId}`);
    expect([made.code, made.stderr, body.justification]).toEqual([
      5,
      '',
      `Restore deployment ${good} (v1) of prod/api`,
    ]);
  });

  it('plans the same rollback', async () => {
    for (const args of [
      ['prod/api'],
      ['prod/api', '--to', 'v1'],
      ['dev'],
      ['prod/api', '--field', 'apps/prod/api/app.yaml#/image'],
    ]) {
      const [there, here] = [
        await asked(['-o', 'json', 'plan', ...args]),
        await backtrail(repo, ['-o', 'json', 'plan', ...args]),
      ];
      expect([args, there.code]).toEqual([args, here.code]);
      expect(JSON.parse(there.stdout).digest).toBe(JSON.parse(here.stdout).digest);
    }
  });
});

describe('a server', () => {
  it('is not asked for what is done where the repository is', async () => {
    for (const command of [
      ['init'],
      ['doctor'],
      ['guard'],
      ['reconcile'],
      ['worker'],
      ['audit', 'verify'],
      ['serve'],
    ]) {
      const { code, stderr } = await asked(command);
      expect([command, code]).toEqual([command, 2]);
      expect(stderr).toContain('INVALID_REQUEST');
    }
    expect((await asked(['audit', 'log'])).stderr).toContain("auditor's machine");
    expect((await asked(['--repo', '.', 'history', 'prod'])).code).toBe(2);
    expect((await backtrail(repo, ['--token-file', tokenFile, 'history', 'prod'])).code).toBe(2);
  });

  it.each([
    ['http://backtrail.example.com', 2, 'https alone'],
    ['https://jane:secret@backtrail.example.com', 2, 'takes no login'],
    ['nonsense', 2, 'not an address'],
    ['http://127.0.0.1:1', 6, 'does not answer'],
  ])('is refused at %s', async (server, code, says) => {
    const found = await backtrail(repo, ['--server', server, '--token-file', tokenFile, 'environments']);
    expect(found.code).toBe(code);
    expect(found.stderr).toContain(says);
    expect(found.stderr).not.toContain('secret');
  });

  it('needs a token that it knows', async () => {
    const none = await backtrail(repo, ['--server', api.url, 'environments']);
    expect([none.code, none.stderr.includes('UNAUTHENTICATED')]).toEqual([3, true]);
    const other = join(await temporaryFolder(), 'token');
    await writeFile(other, 'two words\n');
    const { code, stderr } = await backtrail(repo, [
      '--server',
      api.url,
      '--token-file',
      other,
      'environments',
    ]);
    expect([code, stderr.includes('two words')]).toEqual([2, false]);
  });
});

describe('a rollback that no worker executes', () => {
  it('is waited for until that is stopped, and stays approved', async () => {
    const ask = { environment: 'dev', service: 'api', targetSha: 'v1', justification: 'v2 answers 500' };
    const { body } = await api.post('/api/v1/rollbacks', ask);
    expect(body.status).toBe('approved');
    const never = () => new Promise<void>(() => undefined);
    const remote = await openRemote({ server: api.url, tokenFile, sleep: never });
    const stop = new AbortController();
    const waiting = remote.rollbacks.execute(body.requestId, { signal: stop.signal });
    stop.abort(new Error('Stopped.'));
    await expect(waiting).rejects.toThrow('Stopped.');
    await remote.close();
    expect((await api.get(`/api/v1/rollbacks/${body.requestId}`)).body.status).toBe('approved');
  });

  it('is left to a worker that is started later, and so is one of an incident: neither ends as if it were done', async () => {
    const slept: number[] = [];
    const sleep = async (ms: number) => void slept.push(ms);
    const remote = await openRemote({ server: api.url, tokenFile, sleep, leftMs: 1500 });
    const incident = { id: 'inc-left', reason: 'v2 answers 500', rollbacks: [{ scope: 'dev' }] };
    const whole = incidentSchema.parse(incident);
    const { items } = await prepareIncident(remote, whole, {
      reader: { name: '', email: '' },
      print: () => undefined,
    });
    await remote.recover(whole, items);
    expect([slept, items.map(({ request }) => request?.status)]).toEqual([[1000, 1000], ['approved']]);
    expect(incidentValue(whole.id, items, { findings: [], plans: false }).rollbacks[0]?.status).toBe(
      'approved',
    );
    expect(exitCodeOf(items)).toBe(6);
    expect(resultTable(makeStyle(false), items)).toMatch(/approved +- +rbk-\w+ \(QUEUE_UNAVAILABLE: /);
    slept.length = 0;
    const left = await remote.rollbacks.execute(items[0]?.id ?? '');
    expect([left.status, left.findings.map(({ code }) => code)]).toEqual(['approved', ['QUEUE_UNAVAILABLE']]);
    const plan = await remote.rollbacks.plan({ scope: 'dev', author: { name: '', email: '' } });
    const request = await remote.requests.show({ id: left.requestId });
    const ended = await continueRequest({ style: makeStyle(false) }, { request, plan }, async () => left);
    expect(ended.exitCode).toBe(6);
    expect(slept.slice(0, -1).reduce((all, each) => all + each, 0)).toBeLessThanOrEqual(1500);
    await remote.close();
  });
});
