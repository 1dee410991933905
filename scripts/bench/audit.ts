/** What an audit costs: rollbacks without a ledger, by both readers, and rollbacks that somebody approved; beside a plain `git log --raw` of the same line. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  AUDIT_READERS,
  type Engine,
  makeRequestId,
  openEngine,
  type Planned,
  type Progress,
} from '../../engine/internal.ts';
import { openGit } from '../../engine/git/open.ts';
import { createPrograms, sandboxOf } from '../../engine/render/programs/index.ts';
import { executeBatch } from '../../engine/rollback/batch/batch.ts';
import type { BatchMember } from '../../engine/rollback/batch/round.ts';
import { createObserve } from '../../engine/rollback/observe.ts';
import { engineOptions } from './many.ts';
import { cpuOfAll, git, megabytes, PERSON, say, time, unshared, unsharedOfChildren } from './measure.ts';
import { CONFIG, ENVIRONMENTS, serviceName, tenantName } from './repository.ts';
import type { Bench } from './rollback.ts';

type ReaderName = (typeof AUDIT_READERS)[number];

export interface AuditBench extends Bench {
  /** Rollbacks without a ledger, and with votes. */
  readonly count: number;
  readonly approved: number;
}

export async function benchAudit(bench: AuditBench): Promise<void> {
  say(`load ${load()}`);
  const alone = await build(bench, 'alone');
  for (const reader of AUDIT_READERS) await measure(bench, { ...alone, reader });
  const approved = await build(bench, 'approved');
  for (const reader of AUDIT_READERS) await measure(bench, { ...approved, reader });
  say(`load at the end ${load()}`);
}

const load = () => loadavg()[0]?.toFixed(1) ?? '';

interface Built {
  readonly name: 'alone' | 'approved';
  readonly copy: string;
  readonly open: (onProgress: (progress: Progress | null) => void) => Promise<Engine>;
}

async function build(bench: AuditBench, name: Built['name']): Promise<Built> {
  const { folder, repo, env } = bench;
  const copy = join(folder, `audit-${name}.git`);
  const cacheFolder = `${copy}-cache`;
  for (const path of [copy, cacheFolder, `${cacheFolder}-auditor`])
    rmSync(path, { recursive: true, force: true });
  // Not shared: isomorphic-git reads no alternates.
  git({ cwd: folder, env }, ['clone', '--quiet', '--bare', repo, copy]);
  const options = { ...engineOptions(folder, env, false), cacheFolder, repo: copy };
  const start = performance.now();
  if (name === 'alone') await executeAlone(bench, copy, await openEngine(options));
  const people = name === 'approved' ? await approve(bench, copy, options) : {};
  say(
    `${name}: ${bench[name === 'alone' ? 'count' : 'approved']} rollbacks built in ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
  const auditing = { ...options, ...people, cacheFolder: `${cacheFolder}-auditor` };
  return { name, copy, open: (onProgress) => openEngine({ ...auditing, onProgress }) };
}

async function plansOf(
  engine: Engine,
  { size }: Bench,
  count: number,
): Promise<readonly (Planned & { readonly scope: string })[]> {
  const planned = [];
  for (const environment of [...ENVIRONMENTS].reverse())
    for (let service = 0; service < size.services; service += 1)
      for (let tenant = 0; tenant < size.tenants && planned.length < count; tenant += 1) {
        const scope = `${tenantName(tenant)}/${environment}/${serviceName(service)}`;
        // Not every service has an earlier revision.
        const found = await engine.plan({ scope }).catch(() => null);
        if (found !== null && found.plan.files.length > 0) planned.push({ ...found, scope });
      }
  return planned;
}

/** As a batch of a worker, and no ledger: all in one chain of commits. */
async function executeAlone(bench: AuditBench, copy: string, engine: Engine): Promise<void> {
  const planned = await plansOf(engine, bench, bench.count);
  await engine.close();
  const repository = await openGit({ location: copy, cacheFolder: `${copy}-cache`, env: bench.env });
  const observe = createObserve(repository, null);
  const members = planned.map(({ plan }): BatchMember => {
    const { scope, target, base, digest } = plan;
    const id = makeRequestId(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
    const asked = { id, scope, target: target.commit, base, allowRemoval: false, hold: null };
    const request = {
      ...asked,
      digest,
      reason: 'Benchmark',
      author: PERSON,
      requestedAt: new Date().toISOString(),
    };
    return { asked, authorize: () => Promise.resolve(request) };
  });
  const signal = new AbortController().signal;
  const results = await executeBatch({
    git: repository,
    observe,
    snapshot: await observe(),
    programs: createPrograms({ path: '', allowed: [], sandbox: sandboxOf(undefined), signal }),
    committer: PERSON,
    clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
    members,
    record: () => Promise.resolve(null),
  });
  for (const result of results.values()) if (result.status === 'rejected') throw result.reason;
  await repository.close();
}

const BOB = { name: 'Bob', email: 'bob@example.com' };

/** Each opened and approved by itself, signed both times. */
async function approve(bench: AuditBench, copy: string, options: Parameters<typeof openEngine>[0]) {
  const { folder, env, approved } = bench;
  const allowed = join(folder, 'audit-signers');
  const keys = [PERSON, BOB].map(({ name, email }) => {
    const key = join(folder, `audit-key-${name}`);
    rmSync(key, { force: true });
    rmSync(`${key}.pub`, { force: true });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', email, '-f', key]);
    const config = join(folder, `audit-gitconfig-${name}`);
    writeFileSync(
      config,
      `[user]\n\tname = ${name}\n\temail = ${email}\n\tsigningKey = ${key}\n[gpg]\n\tformat = ssh\n`,
    );
    const publicKey = execFileSync('ssh-keygen', ['-y', '-f', key], { encoding: 'utf8' }).trim();
    return { config, line: `${email} namespaces="git" ${publicKey}\n` };
  });
  writeFileSync(allowed, keys.map(({ line }) => line).join(''));
  const policy = 'policy: { environments: [ { match: "*/*", quorum: 1 } ] }\n';
  commitConfig({ cwd: copy, env }, `${CONFIG}${policy}`);
  const [asking, voting] = await Promise.all(
    keys.map(({ config }) =>
      openEngine({ ...options, allowedSigners: allowed, env: { ...env, GIT_CONFIG_GLOBAL: config } }),
    ),
  );
  if (asking === undefined || voting === undefined) throw new Error('Two were made.');
  const planned = await plansOf(asking, bench, approved);
  const ids = [];
  for (const found of planned) {
    const id = makeRequestId(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
    await asking.requests.open({ planned: found, author: PERSON, id, reason: 'Benchmark' });
    await voting.requests.approve({ id, actor: BOB });
    ids.push(id);
  }
  const results = await asking.rollbacks.executeMany(ids.map((id) => ({ id })));
  for (const result of results.values()) if (result.status === 'rejected') throw result.reason;
  await Promise.all([asking.close(), voting.close()]);
  return { allowedSigners: allowed };
}

function commitConfig(
  place: { readonly cwd: string; readonly env: Record<string, string> },
  text: string,
): void {
  const data = (body: string) => `data ${Buffer.byteLength(body)}\n${body}\n`;
  const stream = `commit refs/heads/main\ncommitter B <b@example.com> ${Math.floor(Date.now() / 1000)} +0000\n${data('Policy')}from refs/heads/main^0\nM 100644 inline .backtrail/config.yaml\n${data(text)}`;
  execFileSync('git', ['fast-import', '--quiet'], { ...place, input: stream });
}

async function measure(
  bench: AuditBench,
  { copy, open, reader }: Built & { readonly reader: ReaderName },
): Promise<void> {
  const args = ['log', '--raw', '--first-parent', '--format=%H', 'main'];
  const log = time(() => git({ cwd: copy, env: bench.env }, args));
  let half = 0;
  let last = 0;
  const onProgress = (progress: Progress | null) => {
    if (progress?.phase !== 'auditing') return;
    const { objects, percent } = progress;
    // The ledger is read first: what counts is the last time that half of it is done.
    if (objects < last) half = 0;
    if (half === 0 && percent !== null && percent >= 50) half = settled();
    last = objects;
  };
  const engine = await open(onProgress);
  try {
    const [start, before] = [performance.now(), cpuOfAll(process.pid)];
    const report = await engine.audit.verify({ reader });
    const took = performance.now() - start;
    const used = (cpuOfAll(process.pid) ?? Number.NaN) - (before ?? Number.NaN);
    const all = settled();
    const wrong = report.rows.find(({ verdict }) => verdict !== 'honest') ?? report.ledger.problems[0];
    if (wrong !== undefined) throw new Error(JSON.stringify(wrong));
    const { checked } = report;
    const speed = `${((1000 * checked) / took).toFixed(0)} a second, ${(checked / used).toFixed(0)} a second of CPU`;
    say(`  ${reader}: ${checked} in ${(took / 1000).toFixed(1)} s, ${used.toFixed(1)} s of CPU: ${speed}`);
    say(`    ${(took / log).toFixed(1)} x \`git log --raw\` of the line (${(log / 1000).toFixed(2)} s)`);
    say(
      `    memory ${megabytes(half)} MB after half, ${megabytes(all)} MB after all, ${(all / half).toFixed(2)} x`,
    );
  } finally {
    await engine.close();
  }
}

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Bytes that this process and its gits share with nobody, without garbage. */
function settled(): number {
  if (typeof collect === 'function') collect();
  return (unshared('self') ?? 0) + unsharedOfChildren(process.pid);
}
