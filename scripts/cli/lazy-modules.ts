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
/** The name of an import before a member: not itself a member, but maybe spread. */
const IMPORTED = /(?<![\w$]|(?<!\.)\.)import_[\w$]+(?=\.)/g;
const EXPORTS = /^__export\(source_exports, \{\n([^]*?)\n\}\);\n/m;

async function toLazyModule(path: string): Promise<string> {
  const { exported, body } = await read(path);
  const imports = new Map<string, string>();
  const lazily = (value: (from: string) => string) => (_line: string, name: string, from: string) => {
    imports.set(name, `(${name} ??= ${value(`require(${from})`)})`);
    return '';
  };
  const rest = body
    .replace(
      NAMED,
      lazily((module) => module),
    )
    .replace(
      DEFAULT,
      lazily((module) => `backtrailDefault(${module})`),
    )
    .replace(NAMESPACE, 'var $1 = require($2);\n')
    .replace(ALL_OF_ANOTHER, '');
  const asking = (code: string) => code.replace(IMPORTED, (name) => imports.get(name) ?? name);
  const members = exported.map(([name, value]) =>
    /^[\w$]+$/.test(value) ? `${name}: ${value}` : `get ${name}() { return ${asking(value)}; }`,
  );
  return [
    '"use strict";',
    ...(imports.size > 0 ? [`let ${[...imports.keys()].join(', ')};`] : []),
    asking(rest),
    `module.exports = { ${['__esModule: true', ...members].join(', ')} };`,
  ].join('\n');
}

interface Source {
  /** Each name with its expression. */
  readonly exported: readonly (readonly [string, string])[];
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
  // Before it are esbuild's own functions, which make exports.
  const [, all] = code.split(/^var source_exports = \{\};\n/m);
  if (all === undefined) throw new Error(`${path} exports nothing.`);
  const own = [...(EXPORTS.exec(all)?.[1] ?? '').matchAll(/^ {2}([\w$]+): \(\) => (.+?),?$/gm)].map(
    ([, name = '', value = '']) => [name, value] as const,
  );
  const body = all.replace(EXPORTS, '').replace('module.exports = __toCommonJS(source_exports);\n', '');
  const others = [...body.matchAll(ALL_OF_ANOTHER)].map(async ([, from = '']) => {
    const { exported } = await read(join(dirname(path), from));
    return exported.map(([name]) => [name, `require(${JSON.stringify(from)}).${name}`] as const);
  });
  return { exported: [...(await Promise.all(others)).flat(), ...own], body };
}
