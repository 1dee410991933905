import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../cli/environment.ts';
import { createProgram } from '../../cli/start/program.ts';
import { unquote } from '../../cli/completion/words.ts';
import { FAILURES } from '../../engine/index.ts';
import { NOTES } from '../../scripts/cli/examples.ts';
import { cliReference, commandNames } from '../../scripts/cli-reference.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/cli.md'), 'utf8');
const program = () => createProgram(readEnvironment());

/** The words of a command line of one of the examples. */
const wordsOf = (line: string) => (line.match(/(?:"[^"]*"|\S)+/g) ?? []).map(unquote);

/** The command that a line runs, though it does nothing here. Fails where the program would refuse the line. */
async function commandRun(line: string): Promise<string | undefined> {
  const root = await program();
  let run: string | undefined;
  const watch = (command: Command, before: readonly string[]) => {
    const words = [...before, command.name()];
    command.action(() => {
      run = words.join(' ');
    });
    for (const inner of command.commands) watch(inner, words);
  };
  for (const command of root.commands) watch(command, []);
  await root.parseAsync(wordsOf(line).slice(1), { from: 'user' });
  return run;
}

describe('the reference of the command line', () => {
  it('is what `npm run docs:cli` writes', async () => {
    expect(PAGE).toBe(await cliReference());
  });

  it('has every command, with an example and its exit codes', async () => {
    const names = commandNames(await program());
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
    for (const [name, { example }] of Object.entries(NOTES)) expect(await commandRun(example)).toBe(name);
  });
});

describe('command lines in the documents', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md'].concat(
    readdirSync(join(ROOT, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  );
  const lines = pages.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```(?:sh|text)\n([^]*?)^```/gm)].flatMap(
      ([, block = '']) =>
        (block.match(/^ *(?:[A-Z_]+=\S+ )*backtrail .*$/gm) ?? []).map((line) =>
          line.replace(/^ *(?:[A-Z_]+=\S+ )*/, ''),
        ),
    ),
  );

  it('are taken by the program', async () => {
    expect(lines.length).toBeGreaterThan(40);
    const usages = /[<[]/;
    for (const line of lines.filter((one) => !usages.test(one)))
      expect([line, await commandRun(line.replace(/ +#.*$/, ''))]).toEqual([line, expect.any(String)]);
  });
});
