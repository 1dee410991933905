/**
 * Makes a CommonJS module of each source, which asks for what it imports when it first uses it. In a bundle of ES modules, every function
 * of every module is made when the bundle starts, and a module runs all that it imports, whether or not a command needs that.
 * It follows that no source may count on the order in which modules run, and none does: the package has no side effects.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { type Plugin, transform } from 'esbuild';

/** `mark` gives what is added to a source, by its path below `root`. */
export function lazyModules(root: string, mark: (path: string) => string = () => ''): Plugin {
  return {
    name: 'lazy-modules',
    setup(build) {
      const nameOf = (path: string) => relative(root, path).split(sep).join('/');
      // A namespace of their own: as files of this package they would be ES modules.
      build.onResolve({ filter: /\.ts$/ }, ({ path, resolveDir }) => ({
        path: join(resolveDir, path),
        namespace: 'lazy',
      }));
      build.onLoad({ filter: /.*/, namespace: 'lazy' }, async ({ path }) => ({
        contents: `${await toLazyModule(path)}\n${mark(nameOf(path))}`,
        resolveDir: dirname(path),
      }));
      build.onLoad({ filter: /\.[cm]?js$/ }, async ({ path }) => ({
        contents: `${await readFile(path, 'utf8')}\n${mark(nameOf(path))}`,
      }));
    },
  };
}

/** What a module that is imported by default gives, which a bundle defines once. */
export const DEFAULT_IMPORT =
  "const backtrailDefault = (given) => (given.__esModule && 'default' in given ? given : { default: given });";

/** As esbuild writes them, one to a line. */
const NAMED = /^var (import_[\w$]+) = require\(("[^"\n]+")\);\n/gm;
const DEFAULT = /^var (import_[\w$]+) = __toESM\(require\(("[^"\n]+")\)\);\n/gm;
const NAMESPACE = /^var ([\w$]+) = __toESM\(require\(("[^"\n]+")\)\);\n/gm;
const ALL_OF_ANOTHER = /^__reExport\(source_exports, require\("([^"\n]+)"\), module\.exports\);\n/gm;
const EXPORTS = /^__export\(source_exports, \{\n([^]*?)\n\}\);\n/m;

async function toLazyModule(path: string): Promise<string> {
  const { head, names, body } = await read(path);
  const asked: string[] = [];
  const imports = new Map<string, string>();
  let code = body
    .replace(NAMED, (_, name: string, from: string) => {
      imports.set(name, `(${name} ??= require(${from}))`);
      return '';
    })
    .replace(DEFAULT, (_, name: string, from: string) => {
      imports.set(name, `(${name} ??= backtrailDefault(require(${from})))`);
      return '';
    })
    .replace(NAMESPACE, 'var $1 = require($2);\n')
    .replace(ALL_OF_ANOTHER, '');
  code = code.replace(/(?<![\w$]|(?<!\.)\.)import_[\w$]+(?=\.)/g, (name) => imports.get(name) ?? name);
  for (const name of imports.keys()) asked.push(name);
  const given = names.map(([name, value]) => {
    const [from = ''] = /^import_[\w$]+(?=\.)/.exec(value) ?? [];
    const lazily = value.replace(from, imports.get(from) ?? from);
    return from === '' && !value.includes('require(')
      ? `${name}: ${value}`
      : `get ${name}() { return ${lazily}; }`;
  });
  const variables = asked.length === 0 ? '' : `let ${asked.join(', ')};\n`;
  return `${head}${variables}${code}\nmodule.exports = { ${['__esModule: true', ...given].join(', ')} };\n`;
}

interface Source {
  readonly head: string;
  /** What it exports, with the expression of each. */
  readonly names: readonly (readonly [string, string])[];
  readonly body: string;
}

async function read(path: string): Promise<Source> {
  const { code } = await transform(await readFile(path, 'utf8'), {
    loader: 'ts',
    format: 'cjs',
    target: 'node20',
    sourcefile: 'source.ts',
    define: { 'import.meta.url': 'backtrailUrl' },
    // Without that of the project: what only types use is not asked for.
    tsconfigRaw: {},
  });
  // Before it: what esbuild adds to make exports.
  const start = code.indexOf('var source_exports = {};\n');
  if (start < 0) throw new Error(`${path} exports nothing.`);
  let body = code.slice(start).replace(/^var source_exports = \{\};\n/, '');
  const own = [...(EXPORTS.exec(body)?.[1] ?? '').matchAll(/^ {2}([\w$]+): \(\) => (.+?),?$/gm)].map(
    ([, name = '', value = '']) => [name, value] as const,
  );
  body = body.replace(EXPORTS, '').replace('module.exports = __toCommonJS(source_exports);\n', '');
  const others = [...body.matchAll(ALL_OF_ANOTHER)].map(async ([, from = '']) => {
    const { names } = await read(join(dirname(path), from));
    return names.map(([name]) => [name, `require(${JSON.stringify(from)}).${name}`] as const);
  });
  return { head: '', names: [...(await Promise.all(others)).flat(), ...own], body };
}
