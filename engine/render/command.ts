/** A program of the configuration's own choice, for services that no renderer of ours understands. */
import { BacktrailError, quotePath, type TreeView } from '../model/index.ts';
import { bindPath, compilePattern, fill, toBindings } from '../layout/pattern.ts';
import { walkFiles } from '../snapshot/view.ts';
import { gather } from './gather.ts';
import { manifestsPrinted, programFailed } from './printed.ts';
import type { Renderer } from './renderer.ts';
import { clean } from './quoted-text.ts';
import type { ServiceUnit } from './unit.ts';

export const command: Renderer = {
  name: 'command',
  render: async ({ view, unit, programs, command, versions }) => {
    const { directory } = unit;
    if (command === null || directory === null || (await view.list(directory)).length === 0) return null;
    const [program = ''] = command.run;
    const wanted = [command.run, ...(command.version ? [command.version] : [])];
    if (programs === null || !wanted.every((argv) => programs.allows(argv))) throw notAllowed(wanted);
    const run = async (argv: readonly string[], files: ReadonlyMap<string, Uint8Array>) => {
      const result = await programs.run({ argv, files });
      if (result === null)
        throw new BacktrailError('RENDER_FAILED', `The program ${argv[0] ?? ''} was not found.`, {
          hint: `Install ${argv[0] ?? ''} where this runs (a worker too), so that PATH finds it.`,
        });
      if (result.code !== 0) throw programFailed({ what: argv[0] ?? '', directory }, result);
      return result.stdout;
    };
    const argv = command.run.map((word) => filled(word, unit, directory));
    const files = await filesOf(view, unit, [directory, ...command.inputs]);
    versions.command ??= command.version
      ? run(command.version, new Map()).then(versionIn)
      : Promise.resolve('');
    const version = await versions.command;
    const stdout = await run(argv, files);
    return { name: program, version, objects: manifestsPrinted({ what: program, directory }, stdout) };
  },
};

/** Who may push to the branch must not decide what runs here. */
function notAllowed(wanted: readonly (readonly string[])[]): BacktrailError {
  const [program = ''] = wanted[0] ?? [];
  const plain = wanted.flat().every((word) => /^[^\s;']+$/.test(word));
  const permitted = plain ? wanted.map((argv) => argv.join(' ')).join('; ') : program;
  return new BacktrailError(
    'RENDER_FAILED',
    `The configuration in the repository wants to run ${clean(program)}, which is not allowed here.`,
    {
      hint: plain
        ? `If you trust it, allow exactly this: BACKTRAIL_RENDER_COMMANDS='${clean(permitted, 1000)}'.`
        : `If you trust everybody who may push, allow the program: BACKTRAIL_RENDER_COMMANDS='${clean(permitted)}'.`,
    },
  );
}

/** A word with the service's names in it; never an option where the configuration wrote none. */
function filled(word: string, unit: ServiceUnit, directory: string): string {
  const text = fill(word, toBindings(unit)).replaceAll('{directory}', () => directory);
  if (!text.startsWith('-') || word.startsWith('-')) return text;
  throw new BacktrailError('RENDER_FAILED', `The name ${clean(text)} would be read as an option.`, {
    hint: 'Rename the folder, or write ./ before the placeholder in `delivery.command.run`.',
  });
}

async function filesOf(
  view: TreeView,
  unit: ServiceUnit,
  [directory = '', ...inputs]: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const gathered = gather(view);
  const refuse = (path: string) => (problem: string) =>
    new BacktrailError('RENDER_FAILED', `${quotePath(path)} ${problem}`, { details: { path } });
  const take = async (
    prefix: string,
    match: (path: string) => boolean,
    reaches: (path: string) => boolean,
  ) => {
    for (const { path } of await walkFiles(view, prefix, reaches)) {
      if (match(path)) await gathered.take(path, refuse(path));
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
  return gathered.files;
}

/** `v3.16.2+g13654a5` of whatever a program prints; its first words where it prints no number. */
function versionIn(stdout: Uint8Array): string {
  const text = new TextDecoder().decode(stdout);
  return clean(/\d+\.\d+[\w.+-]*/.exec(text)?.[0] ?? text, 60);
}
