import { describe, expect, it } from 'vitest';
import { maskText } from '../../../engine/yaml/mask/mask.ts';
import { parseLooseSelector } from '../../../engine/yaml/core/selector.ts';
import { backtrail, refusalOf } from '../../helpers/program/cli.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';
import { someOf } from '../../helpers/run/proof.ts';

const config = (show: string) =>
  `version: 1\nlayout: { environment: [ "envs/{environment}/**" ] }\nkeep: []\nshow: [ ${show} ]\n`;
const values = (salt: string, password: string) =>
  `hash:\n  salt: ${salt}\n  rounds: 10\ndb:\n  password: ${password}\n  salt: other-salt\n`;

async function environments(show: string) {
  const repo = await createRepo();
  await repo.commit({
    '.backtrail/config.yaml': config(show),
    'envs/prod/values.yaml': values('pepper-1', 'Zq7-old'),
  });
  await repo.commit({ 'envs/prod/values.yaml': values('pepper-2', 'Zq7-new') });
  return repo;
}

describe('what the configuration shows', () => {
  it.each(someOf(['"**/values.yaml#/hash/salt"', '"#/hash/salt"'], 1))(
    'is readable in plan, compare and show, and nothing else is: %s',
    async (show) => {
      const repo = await environments(show);
      for (const command of [
        ['plan', 'prod'],
        ['compare', 'prod', 'v1', 'v2'],
        ['show', 'prod', 'v2'],
      ]) {
        const { stdout } = await backtrail(repo, command);
        expect(stdout).toContain('pepper-2');
        expect(stdout).not.toMatch(/Zq7|other-salt/);
      }
      const json = await backtrail(repo, ['plan', 'prod', '-o', 'json']);
      expect(json.stdout).toContain('pepper-1');
      expect(json.stdout).not.toMatch(/Zq7/);
    },
  );

  it('is masked without the configuration', async () => {
    const repo = await environments('');
    expect((await backtrail(repo, ['show', 'prod', 'v2'])).stdout).not.toMatch(/pepper|Zq7/);
  });

  it('has a selector', async () => {
    const repo = await environments('"**/values.yaml"');
    expect(refusalOf(await backtrail(repo, ['plan', 'prod']))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('the selector is missing'),
    });
  });
});

describe('data of a Secret', () => {
  const DATA = ['/data', '/data/a', '/stringData', '/items', '/x', '/b', '/spec', '/', '/s'].map(
    parseLooseSelector,
  );
  it.each([
    'kind: Secret\ndata: { a: Zq7 }\n',
    'kind: secret\nstringData:\n  a: Zq7\n',
    'kind:\n  Secret\ndata: { a: Zq7 }\n',
    'kind: !!str &k "Secret"\ndata: { a: Zq7 }\n',
    'kind: "\\u0053ecret"\ndata: { a: Zq7 }\n',
    '"k\\u0069nd": Secret\ndata: { a: Zq7 }\n',
    '? kind\n: Secret\ndata: { a: Zq7 }\n',
    'kind: |-\n  Secret\ndata: { a: Zq7 }\n',
    'k: &k Secret\nkind: *k\ndata: { a: Zq7 }\n',
    'b: &b { kind: Secret }\n<<: *b\ndata: { a: Zq7 }\n',
    '{"kind":"Secret","data":{"a":"Zq7"}}\n',
    'kind: List\nitems: [ { kind: Secret, data: { a: Zq7 } } ]\n',
    'kind: ExternalSecret\nspec: { target: { template: { data: { password: Zq7 } } } }\n',
    'x: |\n  kind: Secret\n  data: { a: Zq7 }\n',
    's: "kind: Secret\\ndata: { a: Zq7 }\\n"\n',
  ])('is never shown, whatever the configuration says: %j', (text) => {
    expect(maskText(text, 'a.yaml', () => '***', DATA)).not.toContain('Zq7');
  });
});
