/** What is kept of a large ledger, so that whoever looks for a few requests need not read all: it says the same, or is not used. */
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine, RequestStatus } from '../../../../engine/internal.ts';
import { ledgerStream } from '../../../../scripts/bench/ledger-stream.ts';
import { countingGit } from '../../../helpers/repositories/counting-git.ts';
import { engineOf, JANE } from '../../../helpers/repositories/engine.ts';
import { copyFolder, type Repo, temporaryFolder } from '../../../helpers/repositories/repo.ts';
import { ask, configOf, policedRepo } from '../../../helpers/people/requests.ts';
import { isProof, someOf } from '../../../helpers/run/proof.ts';

const REQUESTS = 1010;
/** Nothing is written into it before the last test, so that what is kept of it can be copied. */
let large: Repo;
let kept: string;
/** Has read all of it. */
let whole: Engine;
beforeAll(async () => {
  large = await policedRepo(
    configOf({ environments: [{ match: 'prod', quorum: 1, unsignedRequests: true }] }),
  );
  const base = await large.git('rev-parse', 'main');
  const target = await large.git('rev-parse', 'main~1');
  const scopeOf = (index: number) => ({
    environment: index % 3 === 0 ? 'prod' : 'dev',
    service: `s${index % 10}`,
    mode: 'service' as const,
  });
  const newest = Date.now() - 3_600_000;
  const stream = ledgerStream({ requests: REQUESTS, open: 7, scopeOf, target, base, author: JANE, newest });
  await large.gitWith({ input: [...stream].join('') }, ['fast-import', '--quiet']);
  kept = await temporaryFolder();
  whole = await engineOf(large, { cacheFolder: kept, lives: 'file' });
  await open(whole);
});

/** A cache folder with the index of it. */
async function indexed() {
  const cacheFolder = join(await temporaryFolder(), 'cache');
  await copyFolder(kept, cacheFolder);
  return { cacheFolder, reopen: () => engineOf(large, { cacheFolder }) };
}

async function fileIn(cacheFolder: string): Promise<string> {
  const folder = join(cacheFolder, 'ledgers');
  const [name = ''] = (await readdir(folder)).filter((each) => each.endsWith('.index'));
  return join(folder, name);
}

const OPEN: readonly RequestStatus[] = ['pending', 'approved'];
const open = (engine: Engine) => engine.requests.list({ reader: JANE, statuses: OPEN });
const closed = (engine: Engine) => engine.requests.list({ reader: JANE, scope: 'prod', limit: 30 });

describe('an index of a large ledger', () => {
  it('says what reading all of it says', async () => {
    const { reopen } = await indexed();
    const all = await open(whole);
    expect(all).toHaveLength(7);
    expect(await open(await reopen())).toEqual(all);
    expect(await closed(await reopen())).toEqual(await closed(whole));
  });

  it('starts few processes of git, and none that walks the ledger where nothing is new', async () => {
    const { cacheFolder } = await indexed();
    const { path, asked } = await countingGit(large);
    await open(await engineOf(large, { cacheFolder, env: { PATH: path } }));
    expect((await asked()).filter((words) => / log |rev-list/.test(words))).toEqual([]);
  });

  it.each(
    someOf<[string, (text: string) => string]>(
      [
        ['is cut off', (text) => text.slice(0, -100)],
        ['was changed', (text) => text.replace('"completed"', '"pending"  ')],
        ['is empty', () => ''],
        ['is of another version', (text) => signed(text.replace('"form":1', '"form":0'))],
        [
          'leads to another ledger',
          (text) => signed(text.replace(/"tip":"[^"]+"/, `"tip":"${'1'.repeat(40)}"`)),
        ],
      ],
      1,
    ),
  )('that %s is written anew', async (_, change) => {
    const { cacheFolder, reopen } = await indexed();
    const file = await fileIn(cacheFolder);
    const text = await readFile(file, 'utf8');
    await writeFile(file, change(text));
    expect(await open(await reopen())).toEqual(await open(whole));
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('that lies, by whoever owns the cache folder, makes nothing that is not there, and no audit believes it', async () => {
    const { cacheFolder, reopen } = await indexed();
    const file = await fileIn(cacheFolder);
    await writeFile(file, signed((await readFile(file, 'utf8')).replaceAll('"completed"', '"approved"')));
    const audit = (engine: Engine) => engine.requests.audit({ reader: JANE, limit: 20 });
    expect(await audit(await reopen())).toEqual(await audit(whole));
    expect(await open(await reopen())).toHaveLength(7);
  });

  it.runIf(isProof)('gives pages that are together all there is', async () => {
    const engine = await (await indexed()).reopen();
    const ids = await engine.requests.ids({ reader: JANE });
    const found: string[] = [];
    for (let after = ids[0]; after !== undefined; ) {
      const page = await engine.requests.list({ reader: JANE, limit: 400, after });
      found.push(...page.map(({ id }) => id));
      after = page.at(-1)?.id;
    }
    expect([ids[0], ...found]).toEqual(ids);
    const unknown = engine.requests.list({ reader: JANE, after: 'rbk-00000000000000000000000000' });
    await expect(unknown).rejects.toMatchObject({ code: 'REQUEST_UNKNOWN' });
  });

  // The last one: it writes into it.
  it('says what reading all of it says, also after further events', async () => {
    const { reopen } = await indexed();
    const first = await open(await reopen());
    const actor = JANE;
    const jane = await reopen();
    const asked = await ask(jane, actor, 'prod/api');
    await jane.requests.cancel({ id: first[2]?.id ?? '', actor });
    await jane.requests.note({ id: first[3]?.id ?? '', actor, text: 'x' });
    const after = await open(await reopen());
    expect(after.map(({ id }) => id)).toEqual([asked.id, ...first.map(({ id }) => id).toSpliced(2, 1)]);
    const afresh = await engineOf(large);
    expect(after).toEqual(await open(afresh));
    const { id } = asked;
    expect(await (await reopen()).requests.show({ id })).toEqual(await afresh.requests.show({ id }));
    const ids = await (await reopen()).requests.ids({ reader: JANE });
    expect([ids.length, ids[0]]).toEqual([REQUESTS + 1, id]);
  });
});

/** Under a checksum of its own. */
function signed(text: string): string {
  const body = text.slice(text.indexOf('\n') + 1);
  return `${createHash('sha256').update(body).digest('hex')}\n${body}`;
}
