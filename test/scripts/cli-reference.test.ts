import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../cli/environment.ts';
import { createProgram } from '../../cli/program.ts';
import { unquote } from '../../cli/completion/words.ts';
import { FAILURES } from '../../engine/index.ts';
import { NOTES } from '../../scripts/cli/examples.ts';
import { cliReference, commandNames } from '../../scripts/cli-reference.ts';

const PAGE = readFileSync(resolve(import.meta.dirname, '../../docs/cli.md'), 'utf8');
const program = () => createProgram(readEnvironment(), () => undefined);

/** The words of a command line of one of the examples. */
const wordsOf = (line: string) => (line.match(/(?:"[^"]*"|\S)+/g) ?? []).map(unquote);

describe('the reference of the command line', () => {
  it('is what `npm run docs:cli` writes', () => {
    expect(PAGE).toBe(cliReference());
  });

  it('has every command, with an example and its exit codes', () => {
    const names = commandNames(program());
    expect(names.length).toBeGreaterThan(20);
    expect(names.sort()).toEqual(Object.keys(NOTES).sort());
    for (const name of names) expect(PAGE).toContain(`\n### ${name}\n`);
  });

  it('names every error code and every exit code', () => {
    for (const [code, { exit }] of Object.entries(FAILURES))
      expect(PAGE).toContain(`\n| \`${code}\` | ${exit} | `);
    for (const { exits } of Object.values(NOTES))
      for (const exit of exits) expect(PAGE).toMatch(new RegExp(`^\\| ${exit} \\| `, 'm'));
  });

  it('has examples that the program takes', async () => {
    for (const [name, { example }] of Object.entries(NOTES)) {
      const root = program();
      const run: string[] = [];
      const watch = (command: Command, before: readonly string[]) => {
        const words = [...before, command.name()];
        command.action(() => void run.push(words.join(' ')));
        for (const inner of command.commands) watch(inner, words);
      };
      for (const command of root.commands) watch(command, []);
      await root.parseAsync(wordsOf(example).slice(1), { from: 'user' });
      expect(run).toEqual([name]);
    }
  });
});
