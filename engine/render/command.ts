/** Renderer `command`: a program named by the configuration, for services that no built-in renderer understands. */
import { BacktrailError, quotePath, type TreeView } from '../model/index.ts';
import { bindPath, compilePattern, fill, toBindings } from '../layout/pattern.ts';
import { walkFiles } from '../snapshot/view.ts';
import { collectFiles } from './collect-files.ts';
import { parseOutput, programFailed } from './program-output.ts';
import type { Renderer } from './renderer.ts';
import { cleanText } from './quoted-text.ts';
import type { ServiceUnit } from './service-unit.ts';

export const command: Renderer = {
  name: 'command',
  render: async ({ view, unit, programs, command, versions }) => {
    const { directory } = unit;
    if (command === null || directory === null || (await view.list(directory)).length === 0) return null;
    const [program = ''] = command.run;
    const wanted = [command.run, ...(command.version ? [command.version] : [])];
    if (programs === null || !wanted.every((argv) => programs.allows(argv))) throw commandNotAllowed(wanted);
    const run = async (argv: readonly string[], files: ReadonlyMap<string, Uint8Array>) => {
      const result = await programs.run({ argv, files });
      if (result === null)
        throw new BacktrailError('RENDER_FAILED', `The program ${argv[0] ?? ''} was not found.`, {
          hint: `Install ${argv[0] ?? ''} where this runs (a worker too), so that PATH finds it.`,
        });
      if (result.code !== 0) throw programFailed({ what: argv[0] ?? '', directory }, result);
      return result.stdout;
    };
    const argv = command.run.map((word) => fillArgument(word, unit, directory));
    const files = await filesOf(view, unit, [directory, ...command.inputs]);
    versions.command ??= command.version
      ? run(command.version, new Map()).then(versionIn)
      : Promise.resolve('');
    const version = await versions.command;
    const stdout = await run(argv, files);
    return { name: program, version, objects: parseOutput({ what: program, directory }, stdout) };
  },
};

/** Refused unless the operator allows it: people who may push to the branch must not decide which programs run here. */
function commandNotAllowed(wanted: readonly (readonly string[])[]): BacktrailError {
  const [program = ''] = wanted[0] ?? [];
  const plain = wanted.flat().every((word) => /^[^\s;']+$/.test(word));
  const permitted = plain ? wanted.map((argv) => argv.join(' ')).join('; ') : program;
  return new BacktrailError(
    'RENDER_FAILED',
    `The configuration in the repository wants to run ${cleanText(program)}, which is not allowed here.`,
    {
      hint: plain
        ? `If you trust it, allow exactly this: BACKTRAIL_RENDER_COMMANDS='${cleanText(permitted, 1000)}'.`
        : `If you trust everybody who may push, allow the program: BACKTRAIL_RENDER_COMMANDS='${cleanText(permitted)}'.`,
    },
  );
}

/** Fills the service's names into an argument; refuses one that becomes an option that way. */
function fillArgument(word: string, unit: ServiceUnit, directory: string): string {
  const text = fill(word, toBindings(unit)).replaceAll('{directory}', () => directory);
  if (!text.startsWith('-') || word.startsWith('-')) return text;
  throw new BacktrailError('RENDER_FAILED', `The name ${cleanText(text)} would be parsed as an option.`, {
    hint: 'Rename the folder, or write ./ before the placeholder in `delivery.command.run`.',
  });
}

async function filesOf(
  view: TreeView,
  unit: ServiceUnit,
  [directory = '', ...inputs]: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const collector = collectFiles(view);
  const refuse = (path: string) => (problem: string) =>
    new BacktrailError('RENDER_FAILED', `${quotePath(path)} ${problem}`, { details: { path } });
  const take = async (
    prefix: string,
    match: (path: string) => boolean,
    reaches: (path: string) => boolean,
  ) => {
    for (const { path } of await walkFiles(view, prefix, reaches)) {
      if (match(path)) await collector.take(path, refuse(path));
    }
  };
  const all = () => true;
  await take(directory, all, all);
  for (const input of inputs) {
    const paths = bindPath(compilePattern(input), toBindings(unit));
    await take(
      paths.prefix,
      (path) => paths.match(path) !== null,
      (folder) => paths.reaches(folder),
    );
  }
  return collector.files;
}

/** The version in a program's output (`v3.16.2+g13654a5`); the start of the output if it has none. */
function versionIn(stdout: Uint8Array): string {
  const text = new TextDecoder().decode(stdout);
  return cleanText(/\d+\.\d+[\w.+-]*/.exec(text)?.[0] ?? text, 60);
}
