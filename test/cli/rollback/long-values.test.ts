import { beforeAll, describe, expect, it } from 'vitest';
import { backtrail } from '../../helpers/program/cli.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';

const CONFIG = `version: 1
layout: { environment: [ "envs/{environment}/**" ], service: [ "envs/{environment}/{service}/**" ] }
`;
const line = (word: string) => `${'x'.repeat(700)} ${word} ${'y'.repeat(700)} ${word}`;
const values = (word: string) =>
  [
    `long: ${line(word)}`,
    'spec:',
    '  values: |',
    ...[...Array(40).keys()].map((i) => `    key${i}: ${i === 2 || i === 37 ? word : 'some value of it'}`),
    '',
  ].join('\n');

let repo: Repo;
beforeAll(async () => {
  repo = await createRepo();
  for (const word of ['good', 'bad'])
    await repo.commit({
      '.backtrail/config.yaml': CONFIG,
      'envs/prod/api/values.yaml': values(word),
      'envs/prod/api/notes.txt': `${line(word)}\n`,
    });
});

describe('changes in long values', () => {
  it.each([[['plan', 'prod/api']], [['compare', 'prod/api', 'v2', 'v1']]])(
    'are all in sight in the text of %s, and little else',
    async (args) => {
      const { stdout } = await backtrail(repo, args);
      for (const text of ['-key2: bad', '+key2: good', '-key37: bad', '+key37: good'])
        expect(stdout).toContain(text);
      expect(stdout.match(/ bad yyy/g)).toHaveLength(2);
      expect(stdout.match(/yyy good$/gm)).toHaveLength(2);
      expect(stdout).not.toContain('key20');
      expect(Math.max(...stdout.split('\n').map(({ length }) => length))).toBeLessThan(400);
    },
  );

  it('are whole in JSON, and with --full', async () => {
    for (const args of [
      ['plan', 'prod/api', '-o', 'json'],
      ['plan', 'prod/api', '--full'],
    ]) {
      const { stdout } = await backtrail(repo, args);
      expect(stdout).toContain(`+${line('good')}`);
      expect(stdout).toContain(`-${line('bad')}`);
    }
  });
});
