import { Argument } from 'commander';
import { localScopes, REQUEST_STATUSES, SHAPES } from '../../engine/index.ts';
import { type Candidate, expectedAfter, type Values } from '../completion/candidates.ts';
import { SCRIPTS, type Shell, SHELLS } from '../completion/scripts.ts';
import { unquote } from '../completion/words.ts';
import type { Program } from './command.ts';

export function addCompletion(program: Program): void {
  const shell = () => new Argument('<shell>', 'the shell that runs the script').choices(SHELLS);
  program.root
    .command('completion')
    .description('print a script that completes commands, options and scopes in a shell')
    .addArgument(shell())
    .addHelpText('after', HELP)
    .action((name: Shell) => void process.stdout.write(SCRIPTS[name]));
  program.root
    .command('complete', { hidden: true })
    .description('print what may come next; the scripts of `completion` call it')
    .addArgument(shell())
    .argument('[words...]')
    .action(async (name: Shell, words: readonly string[]) => {
      // Errors must not be printed into a command line that is being typed.
      const lines = await complete(program, name, words).catch(() => []);
      process.stdout.write(lines.map((line) => `${line}\n`).join(''));
    });
}

const HELP = `
bash, in ~/.bashrc:                    eval "$(backtrail completion bash)"
zsh, in ~/.zshrc after compinit:       eval "$(backtrail completion zsh)"
fish, in ~/.config/fish/config.fish:   backtrail completion fish | source

Scopes come from the local repository as it is; a remote is never asked.`;

const VALUES: Values = {
  '<revision>': ['previous', 'last-successful'],
  '--shape': SHAPES.map(({ name }) => name),
  '--status': REQUEST_STATUSES,
};

/** Lines for the shell: `value<TAB>description`, or `:files` alone where the shell completes paths itself. */
async function complete(program: Program, shell: Shell, typed: readonly string[]): Promise<string[]> {
  // fish has taken the quotes away, but for those of the word under the cursor.
  const words = typed.map((word, at) => (shell === 'fish' && at < typed.length - 1 ? word : unquote(word)));
  const current = words.at(-1) ?? '';
  const expected = expectedAfter(program.all, words, VALUES);
  if (expected.kind === 'file') return [':files'];
  const candidates =
    expected.kind === 'words'
      ? expected.words
      : shorten(await scopes(program, words), current.slice(expected.prefix.length)).map((value) => ({
          value: `${expected.prefix}${value}`,
          description: '',
        }));
  return candidates.filter(({ value }) => value.startsWith(current)).flatMap(lineOf);
}

// oxlint-disable-next-line no-control-regex -- a line holds one candidate
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

function lineOf({ value, description }: Candidate): string[] {
  // `:files` is what the scripts take as an order.
  if (value.search(CONTROL) >= 0 || value === ':files') return [];
  return [`${value}\t${description.replace(CONTROL, ' ')}`.trimEnd()];
}

function scopes({ environment }: Program, words: readonly string[]): Promise<string[]> {
  const { env, cacheFolder } = environment;
  return localScopes({ location: repoIn(words) ?? '.', env, cacheFolder });
}

function repoIn(words: readonly string[]): string | undefined {
  const at = words.lastIndexOf('--repo', words.length - 2);
  return at >= 0 ? words[at + 1] : words.find((word) => word.startsWith('--repo='))?.slice('--repo='.length);
}

const MANY = 200;

/** Of many scopes only the next level, as shells show folders: `acme/`. */
function shorten(scopes: readonly string[], typed: string): string[] {
  const fitting = scopes.filter((scope) => scope.startsWith(typed));
  if (fitting.length <= MANY) return fitting;
  return [
    ...new Set(
      fitting.map((scope) => {
        const slash = scope.indexOf('/', typed.length);
        return slash < 0 ? scope : scope.slice(0, slash + 1);
      }),
    ),
  ];
}
