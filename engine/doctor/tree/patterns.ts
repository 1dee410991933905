/** Patterns of the configuration that match nothing at the tip. */
import picomatch from 'picomatch';
import type { Check } from '../../model/index.ts';
import type { ParsedText } from '../../yaml/core/document.ts';
import { listNames, locate } from '../../yaml/core/locate.ts';
import { refusalReason } from '../../yaml/core/refusal.ts';
import { formatSelector, parseSelector, type Selector } from '../../yaml/core/selector.ts';
import { discover, readParsed } from '../../layout/discover.ts';
import { expandSelector } from '../../layout/expand-selector.ts';
import { compileLayout } from '../../layout/layout.ts';
import { nameMatcher } from '../../layout/names.ts';
import { bindPath, compilePattern, PLACEHOLDERS } from '../../layout/pattern.ts';
import { nearNames, nearPattern } from '../../layout/near-names.ts';
import { type CheckedTree, configuration } from './tree.ts';

interface Unmatched {
  readonly section: string;
  readonly pattern: string;
  readonly suggestion: string | null;
  /** The path part matches files, but the selector finds nothing in them. */
  readonly file?: string;
}

export async function checkPatterns(tree: CheckedTree): Promise<Check[]> {
  const { config } = tree.layout;
  const unmatched: Unmatched[] = [];
  for (const section of ['environment', 'service'] as const)
    for (const pattern of config.layout[section])
      if (tree.places.every((place) => place.pattern.text !== pattern))
        unmatched.push(await explain(tree, { section: `layout.${section}`, pattern, compile: layoutPaths }));
  for (const section of ['bindings', 'variables'] as const)
    for (const pattern of config.layout[section])
      if (!tree.names.paths.some(globPaths(pattern)))
        unmatched.push(await explain(tree, { section: `layout.${section}`, pattern, compile: globPaths }));
  for (const pattern of config.layout.shared)
    if (!tree.names.paths.some(layoutPaths(pattern)))
      unmatched.push(await explain(tree, { section: 'layout.shared', pattern, compile: layoutPaths }));
  for (const placeholder of PLACEHOLDERS)
    for (const pattern of config.layout.only[placeholder])
      if (!tree.coordinates.some((found) => nameMatcher([pattern])(found[placeholder] ?? '')))
        unmatched.push({ section: `layout.only.${placeholder}`, pattern, suggestion: null });
  unmatched.push(...(await ignoringNothing(tree)));
  for (const pattern of config.keep)
    if (!/^(kind|format):/.test(pattern) && !(await isKept(tree, pattern)))
      unmatched.push(await explain(tree, { section: 'keep', pattern, compile: globPaths }));
  if (unmatched.length > 0) return unmatched.map(told);
  const { environment, service, bindings, variables, shared, only, ignore } = config.layout;
  const names = [...Object.values(only), ...Object.values(ignore)];
  const all = [environment, service, bindings, variables, shared, ...names, config.keep].flat().length;
  return [configuration('patterns', 'ok', { message: `Each of the ${all} patterns matches something.` })];
}

/** Entries of `layout.ignore` that leave nothing out: the patterns find no such name even without them. */
async function ignoringNothing({ view, layout: { config } }: CheckedTree): Promise<Unmatched[]> {
  const { ignore } = config.layout;
  if (PLACEHOLDERS.every((placeholder) => ignore[placeholder].length === 0)) return [];
  const none = { tenant: [], environment: [], service: [] };
  const all = compileLayout({ ...config, layout: { ...config.layout, ignore: none } });
  const found = await discover(view, all);
  return PLACEHOLDERS.flatMap((placeholder) =>
    ignore[placeholder]
      .filter((pattern) => !found.some((one) => nameMatcher([pattern])(one[placeholder] ?? '')))
      .map((pattern) => ({ section: `layout.ignore.${placeholder}`, pattern, suggestion: null })),
  );
}

function told({ section, pattern, suggestion, file }: Unmatched): Check {
  const where = file === undefined ? 'nothing' : `files such as ${file}, but finds nothing in them`;
  return configuration('patterns', 'warn', {
    message: `${section}: ${JSON.stringify(pattern)} matches ${where}.`,
    hint:
      suggestion === null
        ? 'Correct it, or take it out.'
        : `Did you mean ${JSON.stringify(suggestion)}? That one does match.`,
    details: { section, pattern, ...(suggestion !== null && { suggestion }) },
  });
}

type Compile = (pattern: string) => (path: string) => boolean;

/** Never throws: a suggestion may be no pattern at all. */
const layoutPaths: Compile = (text) => {
  try {
    const selection = bindPath(compilePattern(text), {});
    return (path) => selection.match(path) !== null;
  } catch {
    return () => false;
  }
};

const globPaths: Compile = (text) => {
  const matches = picomatch(text.replace(/\{(tenant|environment|service)\}/g, '*'), { dot: true });
  return (path) => matches(path);
};

async function isKept(tree: CheckedTree, pattern: string): Promise<boolean> {
  const [glob = '', selector] = pattern.split(/#(.*)/su);
  if (selector === undefined) return tree.names.paths.some(globPaths(glob));
  return (await fileWith(tree, globPaths(glob), parseSelector(selector))) !== null;
}

/** How many files are looked into for one pattern. */
const LOOKED_INTO = 200;

/** The first file in which the selector finds something. */
async function fileWith(
  { view, names }: CheckedTree,
  matches: (path: string) => boolean,
  selector: Selector,
): Promise<string | null> {
  for (const path of names.paths.filter(matches).slice(0, LOOKED_INTO)) {
    const text = await readParsed(view, path);
    if (text && finds(text, selector)) return path;
  }
  return null;
}

function finds(text: ParsedText, selector: Selector): boolean {
  try {
    if (/\{(tenant|environment|service)\}/.test(formatSelector(selector)))
      return expandSelector(text, { selector, bindings: {} }).length > 0;
    return locate(text, selector) !== null;
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return true; // Something is there, and it is not certain what.
  }
}

async function explain(
  tree: CheckedTree,
  wanted: { section: string; pattern: string; compile: Compile },
): Promise<Unmatched> {
  const { section, pattern, compile } = wanted;
  const [path = '', selector] = pattern.split(/#(.*)/su);
  const file = tree.names.paths.find(compile(path));
  if (file === undefined || selector === undefined) {
    const near = nearPattern(path, tree.names, compile);
    const suggestion = near && (selector === undefined ? near : `${near}#${selector}`);
    return { section, pattern, suggestion };
  }
  const near = await nearSelector(tree, compile(path), parseSelector(selector));
  return { section, pattern, file, suggestion: near && `${path}#${formatSelector(near)}` };
}

/** The selector with one key replaced by a near one, so that it finds something in one of the first files. */
async function nearSelector(
  { view, names }: CheckedTree,
  matches: (path: string) => boolean,
  selector: Selector,
): Promise<Selector | null> {
  for (const path of names.paths.filter(matches).slice(0, 20)) {
    const text = await readParsed(view, path);
    const near = text && nearSelectorIn(text, selector);
    if (near) return near;
  }
  return null;
}

export function nearSelectorIn(text: ParsedText, selector: Selector): Selector | null {
  for (const [at, step] of selector.entries()) {
    if (!('key' in step) || step.key.includes('{')) continue;
    for (const key of nearNames(step.key, listNames(text, selector.slice(0, at), null))) {
      const candidate = selector.with(at, { key });
      if (finds(text, candidate)) return candidate;
    }
  }
  return null;
}
