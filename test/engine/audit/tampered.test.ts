/** Rollbacks that were written anew with something else in them: each is found, at its commit, with a problem that says what. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/internal.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { runs } from '../../helpers/run/proof.ts';
import { createAudited, rewrite, type Rewriting, rollBackAll } from './scene.ts';

const line = (from: RegExp, to: string) => ({ text: (text: string) => text.replace(from, to) });
const file = (content: string, mode = '100644') => ({ mode, content });

/** Of the first rollback, of the service api. */
const MUTATIONS: readonly (readonly [what: string, how: Rewriting, codes: readonly string[]])[] = [
  ['a byte elsewhere', { files: { 'README.md': file('three\n') } }, ['PATH_ADDED']],
  ['a byte in its file', { files: { 'apps/prod/api/app.yaml': file('image: v9\n') } }, ['CONTENT_DIFFERS']],
  [
    'a file not restored',
    { files: { 'apps/prod/api/run.sh': file('echo v2\n', '100755') } },
    ['PATH_MISSING'],
  ],
  ['a file more', { files: { 'apps/prod/api/more.yaml': file('a: 1\n') } }, ['PATH_ADDED']],
  ['a file removed', { files: { 'apps/prod/web/app.yaml': null } }, ['PATH_ADDED']],
  ['a mode', { files: { 'apps/prod/api/run.sh': file('echo v1\n') } }, ['MODE_DIFFERS']],
  ['a link', { files: { 'apps/prod/api/app.yaml': file('../web/app.yaml', '120000') } }, ['MODE_DIFFERS']],
  ['what is kept', { files: { 'apps/prod/api/secret.yaml': file('key: v1\n') } }, ['PATH_ADDED']],
  ['the configuration', { files: { '.backtrail/config.yaml': file('version: 1\n') } }, ['PATH_ADDED']],
  ['the mode in a trailer', line(/^Mode: service$/m, 'Mode: full'), ['TRAILER_INVALID', 'SCOPE_UNKNOWN']],
  ['the service', line(/^Service: api$/m, 'Service: web'), ['PATH_ADDED', 'PATH_MISSING', 'DIGEST_DIFFERS']],
  ['the reason', line(/^Justification: .*$/m, 'Justification: other'), ['TRAILER_DIFFERS']],
  ['the author in a trailer', line(/^Author: .*$/m, 'Author: eve@example.com'), ['AUTHOR_DIFFERS']],
  ['the plan', line(/^(Rollback-Plan: sha256:)../m, '$1ff'), ['DIGEST_DIFFERS', 'TRAILER_DIFFERS']],
  ['the base', line(/^(Rollback-Base: )..../m, '$1ffff'), ['BASE_DIFFERS']],
  ['the target', line(/^(Rollback-Target: )..../m, '$1ffff'), ['TARGET_NOT_ON_LINE']],
  ['the rules', line(/^Rollback-Engine: .*$/m, 'Rollback-Engine: 999'), ['ENGINE_NEWER']],
  [
    'an override',
    line(/^(Rollback-Engine: .*)$/m, '$1\nRollback-Override: allow-removal'),
    ['TRAILER_ADDED'],
  ],
  [
    'an approval',
    line(/^(Author: .*)$/m, '$1\nApproval: Approved by bob@example.com (quorum: 1/1)'),
    ['LEDGER_MISSING'],
  ],
  [
    'a ledger',
    line(/^(Rollback-Engine: .*)$/m, `$1\nRollback-Ledger: ${'a'.repeat(40)}`),
    ['LEDGER_MISSING'],
  ],
  ['the request dropped', line(/^Rollback-Request-ID: .*\n/m, ''), ['TRAILER_MISSING']],
  ['a trailer dropped', line(/^Rollback-Base: .*\n/m, ''), ['TRAILER_MISSING', 'BASE_DIFFERS']],
  ['a trailer doubled', line(/^(Service: api)$/m, '$1\n$1'), ['TRAILER_REPEATED']],
  ['the request doubled', line(/^(Rollback-Request-ID: .*)$/m, '$1\n$1'), ['TRAILER_REPEATED']],
  ['a key in lower case', line(/^Rollback-Plan:/m, 'rollback-plan:'), ['TRAILER_DIFFERS']],
  ['the subject', line(/\n\nRollback: /, '\n\nRolled: '), ['SUBJECT_DIFFERS']],
  ['the text', line(/\n {4}First line/, '\n    Other line'), ['TRAILER_DIFFERS']],
  ["git's author", line(/^author .*?<.*?>/m, 'author Eve <eve@example.com>'), ['AUTHOR_DIFFERS']],
  ["the author's date", line(/^(author .*> )\d+/m, '$11700000000'), ['DATE_DIFFERS']],
  ['the zone', line(/^(committer .*) \+0000$/m, '$1 +0100'), ['DATE_DIFFERS']],
  ['a line in the header', line(/^(committer .*)$/m, '$1\nencoding UTF-8'), ['HEADER_ADDED']],
  ['no time', line(/^(author .*> )\d+/m, '$1999999999999999'), ['DATE_DIFFERS']],
];

/** In `npm test` every third, beginning anywhere. */
const every = runs(1, 3);
const start = Number(process.env['BACKTRAIL_TEST_SEED'] ?? 0) % every;
const sample = MUTATIONS.filter((_, index) => index % every === start);

describe('an audit of a branch that was written anew', () => {
  let repo: Repo;
  let engine: Engine;
  let commits: string[];
  beforeAll(async () => {
    ({ repo, engine } = await createAudited());
    commits = await rollBackAll(engine);
  });

  it('finds nothing wrong before', async () => {
    for (const reader of ['git', 'isomorphic'] as const) {
      const report = await engine.audit.verify({ reader });
      expect(report.rows.flatMap(({ problems }) => problems)).toEqual([]);
      expect(report).toMatchObject({ reader, checked: 4, honest: 4, tampered: 0, unverifiable: 0 });
      expect(report.rows.map(({ commit }) => commit)).toEqual(commits.toReversed());
    }
  });

  it.each(sample)('finds another %s', async (_, how, codes) => {
    const [first = ''] = commits;
    const changed = await rewrite(repo, first, how);
    expect(changed.commit).not.toBe(first);
    const auditor = await engineOf(changed.repo);
    const { rows } = await auditor.audit.verify();
    const found = rows.find(({ commit }) => commit === changed.commit);
    expect(found?.problems.map(({ code }) => code)).toEqual(expect.arrayContaining([...codes]));
    expect(found?.verdict).toBe(codes[0] === 'ENGINE_NEWER' ? 'unverifiable' : 'tampered');
    // What was added to a tree is taken away again by the commit after it.
    const others = how.files === undefined ? 3 : 2;
    expect(rows.filter(({ verdict }) => verdict === 'honest')).toHaveLength(others);
  });

  it('lists one that git does not read as a record any more', async () => {
    const [first = ''] = commits;
    const hidden = line(/\n\nMode: /, '\n\nMode: service\n\nX: ');
    for (const how of [hidden, line(/^Mode: /m, '\0Mode: ')]) {
      const changed = await rewrite(repo, first, how);
      const { rows, outside } = await (await engineOf(changed.repo)).audit.verify();
      const isTold =
        outside.some(({ commit, kind }) => commit === changed.commit && kind === 'imitation') ||
        rows.some(({ commit, verdict }) => commit === changed.commit && verdict === 'tampered');
      expect(isTold).toBe(true);
    }
  });
});
