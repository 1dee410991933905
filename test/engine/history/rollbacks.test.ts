/** Rollbacks in the history. */
import { describe, expect, it } from 'vitest';
import { rollBack } from '../../helpers/repositories/engine.ts';
import { planning, SHARED, versions } from '../../helpers/repositories/plan-repo.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { API, spec, WEB } from './shapes.ts';

describe('rollbacks in the history', () => {
  it('mark what they left behind', async () => {
    const { engine, ids } = await planning([
      { message: 'One', files: { [`${API}/service.yaml`]: spec('1'), [`${WEB}/service.yaml`]: spec('1') } },
      { message: 'Web', files: { [`${WEB}/service.yaml`]: spec('2') } },
      { message: 'Bad', files: { [`${API}/service.yaml`]: spec('2') } },
      { message: 'Worse', files: { [`${API}/service.yaml`]: spec('3') } },
    ]);
    const { commit } = await rollBack(engine, { scope: 'acme/prod/api', to: ids[0] ?? '' });
    const { revisions } = await engine.history({ scope: 'acme/prod/api', limit: 9 });
    expect(
      revisions.map(({ version, status, rolledBackBy, source }) => [version, status, rolledBackBy, source]),
    ).toEqual([
      [4, 'unknown', null, 'rollback'],
      [3, 'rolledBack', commit, 'unknown'],
      [2, 'rolledBack', commit, 'unknown'],
      [1, 'unknown', null, 'unknown'],
    ]);
    const all = await engine.history({ scope: 'acme/prod', limit: 9 });
    expect(all.revisions.map(({ version, status }) => [version, status])).toEqual([
      [5, 'unknown'],
      [4, 'rolledBack'],
      [3, 'rolledBack'],
      [2, 'unknown'],
      [1, 'unknown'],
    ]);
    expect(await versions(engine, 'acme/prod/web')).toEqual(['v2 Web', 'v1 One']);
  });

  it.runIf(isProof)('of one field leave other fields and other services of the same file alone', async () => {
    const file = (api: number, web: number, replicas = 1) =>
      `releases:\n  - name: api\n    version: ${api}\n    replicas: ${replicas}\n  - name: web\n    version: ${web}\n`;
    const { engine } = await planning(
      [
        { message: 'One', files: { 'clusters/prod.yaml': file(1, 1) } },
        { message: 'Bad', files: { 'clusters/prod.yaml': file(2, 1) } },
        { message: 'Replicas', files: { 'clusters/prod.yaml': file(2, 1, 5) } },
        { message: 'Web', files: { 'clusters/prod.yaml': file(2, 2, 5) } },
      ],
      SHARED,
    );
    const { commit } = await rollBack(engine, { scope: 'prod/api', fields: ['#/version'], to: 'v1' });
    const marks = async (scope: string) =>
      (await engine.history({ scope, limit: 9 })).revisions.map(({ subject, rolledBackBy }) => [
        subject.slice(0, 8),
        rolledBackBy,
      ]);
    expect(await marks('prod/api')).toEqual([
      ['Rollback', null],
      ['Replicas', null],
      ['Bad', commit],
      ['One', null],
    ]);
    expect(await marks('prod')).toEqual([
      ['Rollback', null],
      ['Web', null],
      ['Replicas', null],
      ['Bad', commit],
      ['One', null],
    ]);
    expect(await marks('prod/web')).toEqual([
      ['Web', null],
      ['One', null],
    ]);
  });

  it('are followed only as far as their trailers can be true', async () => {
    const trailers = (target: string, rest = '') =>
      `Revert\n\nMode: field\nService: api\nRollback-Request-ID: rbk-01JD2M00000000000000000000\nRollback-Tenant: acme\n` +
      `Rollback-Environment: prod\nRollback-Target: ${target}\n${rest}`;
    const { engine, repo, ids } = await planning([
      { message: 'One', files: { [`${API}/service.yaml`]: spec('1') } },
      { message: 'Two', files: { [`${API}/service.yaml`]: spec('2') } },
    ]);
    await repo.replay([
      { message: trailers('b'.repeat(40)), files: { [`${API}/service.yaml`]: spec('3') } },
      {
        message: trailers(ids[0] ?? '', 'Rollback-Field: services/api/service.yaml#/image[\n'),
        files: { [`${API}/service.yaml`]: spec('4') },
      },
    ]);
    const { revisions } = await engine.history({ scope: 'acme/prod/api', limit: 9 });
    expect(revisions.map(({ rolledBackBy }) => rolledBackBy)).toEqual([null, null, null, null]);
  });
});
