import { expect, it } from 'vitest';
import { backtrail, refusalOf, stateOf } from '../../helpers/program/cli.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';

it.each([
  ['ignore: { environment: [ "b*" ] }', 'base'],
  ['only: { environment: [ prod ] }', 'base'],
  ['ignore: { service: [ docs ] }', 'prod/docs'],
])(
  'what the configuration says is none cannot be rolled back, whatever its history: %s',
  async (line, scope) => {
    const repo = await createRepo();
    const config = `version: 1\nlayout:\n  environment: [ "envs/{environment}/**" ]\n  service: [ "envs/{environment}/{service}/**" ]\n  ${line}\n`;
    const files = (tag: string) => ({
      'envs/base/api/values.yaml': `tag: ${tag}\n`,
      'envs/prod/docs/values.yaml': `tag: ${tag}\n`,
      'envs/prod/api/values.yaml': `tag: ${tag}\n`,
    });
    await repo.commit({ '.backtrail/config.yaml': config, ...files('v1') });
    await repo.commit(files('v2'));
    const state = await stateOf(repo);
    const refused = refusalOf(await backtrail(repo, ['rollback', scope, '--yes', '--reason', 'r']));
    expect(refused.code).toMatch(/^(?:ENVIRONMENT|SERVICE)_UNKNOWN$/);
    expect(await stateOf(repo)).toBe(state);
    expect((await backtrail(repo, ['plan', 'prod/api'])).code).toBe(0);
  },
);
