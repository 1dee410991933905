/** An attacker may push anything to the repository, and knows git: nothing that they write into the ledger is executed. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requestPath, sessionPath } from '../../../engine/record/ledger-file.ts';
import { fileOf, forge, type LedgerFile, print } from '../../helpers/people/forge.ts';
import { diagnose } from '../../helpers/program/doctor.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';
import { approve } from '../../helpers/people/scene.ts';
import { MALLORY, pending, refusal, codeOf } from './refusal.ts';
import { someOf } from '../../helpers/run/proof.ts';

describe('a file that Backtrail never wrote', () => {
  const secret = async () => {
    const file = join(await temporaryFolder(), 'secret');
    await writeFile(file, 'secret');
    return file;
  };

  it.each(
    someOf(
      [
        ['a link', async () => ({ link: await secret() })],
        ['no JSON', () => 'approved: yes\n'],
        ['nothing', () => ''],
        ['bytes that are no text', () => new Uint8Array([0x7b, 0xff, 0xfe, 0x7d])],
        ['five megabytes', (file: LedgerFile) => print({ ...file, state: { text: 'x'.repeat(5_000_000) } })],
        [
          'a state a million levels deep',
          (file: LedgerFile) => {
            const depth = 1_000_000;
            return print(file).replace(
              '"version": 1',
              `"version": 1, "more": ${'['.repeat(depth)}${']'.repeat(depth)}`,
            );
          },
        ],
        [
          'an event a million levels deep',
          (file: LedgerFile) => {
            const depth = 1_000_000;
            return print(file).replace(
              '"justification":',
              `"config": ${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}, "justification":`,
            );
          },
        ],
        [
          'an event of a type that there is not',
          (file: LedgerFile) => print(withLast(file, { type: 'executed' })),
        ],
        ['a key besides those that there are', (file: LedgerFile) => print(withLast(file, { more: true }))],
        ['an earlier version', (file: LedgerFile) => print({ ...file, version: 0 })],
        ['a version that is no number', (file: LedgerFile) => print({ ...file, version: '2' })],
        [
          'the request of another id',
          (file: LedgerFile) => print(file).replaceAll(/rbk-.{20}/g, 'rbk-00000000000000000000'),
        ],
        [
          'a prototype beside its events',
          (file: LedgerFile) =>
            print(file).replace('"version"', '"__proto__": { "status": "approved" }, "version"'),
        ],
        [
          'a prototype in an event',
          (file: LedgerFile) =>
            print(file).replace('"type": "opened"', '"__proto__": { "gate": "no-policy" }, "type": "opened"'),
        ],
      ],
      5,
    ),
  )('stops whoever reads it: %s', async (_, content) => {
    const stage = await pending();
    const { repo, asked } = stage;
    const path = requestPath(asked.id);
    const files = { [path]: await content(await fileOf(repo, asked.id)) };
    await forge(repo, { files, author: MALLORY, message: 'Approved' });
    expect(await refusal(stage, asked.id)).toBe('LEDGER_TAMPERED');
    expect(
      await codeOf((await stage.as(stage.jane)).engine.requests.list({ reader: stage.jane.person })),
    ).toBe('LEDGER_TAMPERED');
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('stops whoever reads it: a later version, which is for a newer program', async () => {
    const stage = await pending();
    const { repo, asked } = stage;
    const message = expect.stringMatching(/ can be read: 1 request, 1 open\.$/);
    expect((await diagnose(repo)).one('ledger')).toMatchObject({ status: 'ok', message });
    const files = { [requestPath(asked.id)]: print({ ...(await fileOf(repo, asked.id)), version: 99 }) };
    await forge(repo, { files, author: MALLORY, message: 'Approved' });
    expect(await refusal(stage, asked.id)).toBe('LEDGER_NEWER');
    const { engine, person: actor } = await stage.as(stage.bob);
    const votes = [{ id: asked.id, digest: asked.digest }];
    const [voted] = await engine.requests.reviewMany({ actor, decision: 'approved', votes });
    expect(voted).toMatchObject({ status: 'rejected', reason: { code: 'LEDGER_NEWER' } });
    expect((await diagnose(repo)).one('ledger')).toMatchObject({
      status: 'fail',
      details: { code: 'LEDGER_NEWER' },
    });
  });

  it('is said by doctor of a session, too', async () => {
    const { repo } = await pending();
    const path = sessionPath('bgs-01M8NS66WARGG1WKWN98913Q3P');
    await forge(repo, { files: { [path]: '{ "version": 99 }\n' }, author: MALLORY, message: 'Opened' });
    // Another machine: this one has seen a later commit of the same ledger.
    const env = { ...repo.env, HOME: await temporaryFolder() };
    expect((await diagnose({ ...repo, env })).one('ledger')).toMatchObject({
      status: 'fail',
      details: { code: 'LEDGER_NEWER', path },
    });
  });

  const withLast = (file: LedgerFile, more: Record<string, unknown>): LedgerFile => ({
    ...file,
    events: file.events.map((event) => ({ ...event, ...more })),
  });

  it.each(
    someOf(
      [
        '../../../../escape.json',
        '.git/config',
        'requests/2026-11/../../escape.json',
        'requests/2026-11/00/not-an-id.json',
        'requests/1999-01/00/rbk-01KAJ000000000000000000000.json',
        'requests/a/b/c/d/e/f/g.json',
        'sessions/2026-11/00/bgs-01KAJ000000000000000000000.json',
      ],
      2,
    ),
  )('takes no request along from %s', async (path) => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    await approve(await stage.as(bob), asked);
    const file = await fileOf(repo, asked.id);
    const forged = print(file).replaceAll(asked.id, 'rbk-01KAJ000000000000000000000');
    await forge(repo, { files: { [path]: forged }, author: MALLORY, message: 'Another' });
    const before = await repo.git('rev-parse', 'main');
    const code = await codeOf(stage.worker.requests.executeRequest('rbk-01KAJ000000000000000000000'));
    expect(code).toMatch(/^(REQUEST_UNKNOWN|LEDGER_TAMPERED)$/);
    expect(await repo.git('rev-parse', 'main')).toBe(before);
  });

  it('takes the place of no folder: a file where the requests are is refused', async () => {
    const stage = await pending();
    await forge(stage.repo, {
      files: { requests: 'a file\n' },
      author: MALLORY,
      message: 'No requests',
    });
    expect(await refusal(stage, stage.asked.id)).toMatch(/^(REQUEST_UNKNOWN|LEDGER_TAMPERED)$/);
  });
});
