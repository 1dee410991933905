import { describe, expect, it } from 'vitest';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';

const CONFIG = `version: 1
layout:
  environment: ["envs/{environment}/**"]
  service: ["envs/{environment}/{service}/**"]
  variables: ["envs/*/variables.yaml"]
delivery: { output: "delivery/{environment}/{service}.yaml" }
`;
const REFERENCES = ['PASSWORD', 'LONG_TOKEN', 'KEYWORD_SECRET'] as const;
const MANIFEST = [
  'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: api\n  annotations:\n    note: "hello ${PASSWORD}"\ndata:\n',
  ...REFERENCES.map((name, index) => `  entry${index}: "${'x'.repeat(150)} \${${name}}"\n`),
  '  level: "${LEVEL}"\n',
  `  script: |\n${'    echo same\n'.repeat(30)}    echo \${LEVEL} \${PASSWORD} \${LONG_TOKEN}\n`,
].join('');

const variables = (turn: number) =>
  `variables:\n  PASSWORD: hunter${turn}\n  LEVEL: level${turn}\n  KEYWORD_SECRET: data\n` +
  `services:\n  api:\n    LONG_TOKEN: Zq7${`${turn}abc`.repeat(60)}\n`;

describe('the differences of rendered manifests', () => {
  it('show no value of a secret variable of either side, wherever it was put, and show the rest', async () => {
    const repo = await createRepo();
    const files = { '.backtrail/config.yaml': CONFIG, 'envs/prod/api/manifest.yaml': MANIFEST };
    await repo.commit({ ...files, 'envs/prod/variables.yaml': variables(1) });
    const rendered = MANIFEST.replaceAll('${PASSWORD}', 'hunter2').replaceAll('${LEVEL}', 'level2');
    await repo.commit({
      'envs/prod/variables.yaml': variables(2),
      'delivery/prod/api.yaml': rendered.replaceAll('${LONG_TOKEN}', `Zq7${'2abc'.repeat(60)}`),
    });
    const engine = await engineOf(repo);
    const { delivery } = await engine.plan({ scope: 'prod' });
    const shown = JSON.stringify(delivery.differences);
    for (const secret of ['hunter', 'Zq7', '1abc', '2abc', 'hidden-by']) expect(shown).not.toContain(secret);
    expect(delivery.differences[0]?.fields).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          before: '"hello ***"',
          after: expect.stringContaining('hello ***') as unknown,
        }),
        expect.objectContaining({
          selector: expect.stringContaining('level') as unknown,
          after: expect.stringContaining('level1') as unknown,
        }),
        expect.objectContaining({
          selector: expect.stringContaining('script') as unknown,
          diff: expect.stringContaining('-echo level2 *** ***\n+echo level1 *** ***\n') as unknown,
        }),
      ]),
    );
  });
});
