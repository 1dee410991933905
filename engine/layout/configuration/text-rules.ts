/** Validators for single texts of the configuration: a sentence that describes the problem, or null. */
import { isSafeName, isSafePath } from '../../model/index.ts';
import { parseLooseSelector, parseSelector, type Selector } from '../../yaml/core/selector.ts';
import { compileExpression } from '../expression.ts';
import { pathProblem } from '../outputs.ts';
import { compilePattern, type Placeholder } from '../pattern.ts';

export function patternProblem(value: string, needs: readonly Placeholder[]): string | null {
  return problemOrError(() => {
    const { placeholders } = compilePattern(value);
    const missing = needs.find((name) => !placeholders.has(name));
    return missing ? `The pattern needs {${missing}}.` : null;
  });
}

/** Refuses rules that cannot match anything: they would keep nothing, unnoticed until a secret is restored. */
export function keepProblem(value: string): string | null {
  if (value.startsWith('kind:'))
    return /^kind:[A-Za-z][A-Za-z0-9]*$/.test(value) ? null : 'A kind needs a name, as in kind:Secret.';
  if (value.startsWith('format:')) return value === 'format:sops' ? null : 'The only format is format:sops.';
  if (value.startsWith('!')) return 'A `keep` pattern cannot be negated with "!".';
  return problemOrError(() => {
    const [glob = '', selector] = value.split(/#(.*)/su);
    const problem = globProblem(glob);
    if (problem !== null) return problem;
    if (selector !== undefined && parseSelector(selector).length === 0) return 'The selector is empty.';
    return glob.split('/').some((name) => name === '' || name === '.' || name === '..')
      ? 'A pattern must be a relative path without empty, "." or ".." parts.'
      : null;
  });
}

/** `path#selector`, or `#selector` for any file. */
export function showProblem(value: string): string | null {
  if (!value.includes('#')) return '`show` takes path#selector, and the selector is missing.';
  if (value.startsWith('#'))
    return problemOrError(() =>
      parseLooseSelector(value.slice(1)).length === 0 ? 'The selector is empty.' : null,
    );
  return keepProblem(value);
}

/** `path#selector`, or `#selector` for a service that is a part of a file. */
export function fieldProblem(value: string): string | null {
  const [path = '', selector] = value.split(/#(.*)/su);
  if (path !== '' && !isSafePath(path)) return 'The path of a field must be inside the repository.';
  if (selector === undefined) return 'A field must be path#selector, and the selector is missing.';
  return problemOrError(() =>
    parseLooseSelector(selector).length === 0
      ? 'A field must be path#selector, and the selector is empty.'
      : null,
  );
}

/** The output path of a service's manifests: one literal path once the placeholders are filled in. */
export function outputProblem(value: string): string | null {
  if (/[*?#]/.test(value)) return 'The output must be a literal path with placeholders.';
  if (value.startsWith('.backtrail/')) return 'The folder .backtrail is reserved for the configuration.';
  if (!isSafePath(value)) return 'The output must be a path inside the repository.';
  const problem = pathProblem(value);
  if (problem !== null) return problem;
  return patternProblem(value, ['environment']);
}

/** Inputs of a render command: a path pattern, as in the layout. */
export function inputProblem(value: string): string | null {
  return value.includes('#')
    ? 'An input must be a path pattern without a selector.'
    : patternProblem(value, []);
}

/** Shared files: a path pattern, as in the layout. */
export function sharedProblem(value: string): string | null {
  return value.includes('#') ? '`shared` takes path patterns without a selector.' : patternProblem(value, []);
}

/** A fixed field: `[glob]#selector`, where the last step of the selector may be `{a,b}`. */
export function fixedProblem(value: string): string | null {
  const [glob = '', selector] = value.split(/#(.*)/su);
  if (selector === undefined) return 'A fixed field is [path]#selector, and the selector is missing.';
  if (glob !== '') {
    const problem = keepProblem(glob);
    if (problem !== null) return problem;
  }
  return problemOrError(() => {
    const { selector: steps, oneOf } = parseFixed(selector);
    if (steps.length === 0 && oneOf.length === 0) return 'The selector is empty.';
    return steps.length + oneOf.length > 30 ? 'The selector has more than 30 steps.' : null;
  });
}

/** `/spec/source/{chart,path}`: the selector before the braces, and the keys in them; no keys without braces. */
export function parseFixed(text: string): { readonly selector: Selector; readonly oneOf: readonly string[] } {
  const [, start = text, keys] = /^(.*?)[/.]?\{([\w-]+(?:,[\w-]+)+)\}$/su.exec(text) ?? [];
  return { selector: parseLooseSelector(start), oneOf: keys?.split(',') ?? [] };
}

/** The rules of git-check-ref-format(1) for a branch. */
export function branchProblem(value: string): string | null {
  const bad = /^[-/.]|^@$|[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|[./]$|\.lock(?:\/|$)/u.test(value); // oxlint-disable-line no-control-regex
  return bad ? 'This is not a valid branch name.' : null;
}

/** `acme/production`, with `*` inside names; or `**`. */
export function environmentsProblem(value: string): string | null {
  if (value === '**') return null;
  const parts = value.split('/');
  if (parts.some((part) => part.includes('**')))
    return '"**" must be the whole pattern; inside a name use "*".';
  if (/[?{}[\]()|!\\,]/.test(value)) return 'The only wildcard for environments is "*".';
  const fits = parts.every(
    (part) => isSafeName(part) && part.trim() === part && !/[\p{Cc}\p{Cf}]/u.test(part),
  );
  return fits ? null : 'A pattern must be [tenant/]environment, as in acme/production or */production.';
}

export function ledgerProblem(value: string): string | null {
  const [, folder, name = ''] = /^refs\/(backtrail|heads)\/(.*)$/su.exec(value) ?? [];
  if (folder === undefined) return 'The ledger must be refs/backtrail/NAME or refs/heads/NAME.';
  if (branchProblem(name) !== null || name === '') return 'This is not a valid ref name.';
  const own = folder === 'backtrail' && /^(?:staging|remote)(?:\/|$)/i.test(name);
  return own ? 'Backtrail uses this ref for other data.' : null;
}

export function expressionProblem(value: string): string | null {
  return problemOrError(() => {
    compileExpression(value);
    return value === '' ? 'The expression is empty.' : null;
  });
}

/**
 * picomatch compiles globs to backtracking regular expressions: limits the number of wildcards, and excludes extended globs, whose cost
 * can grow exponentially.
 */
export function globProblem(value: string): string | null {
  if (/[()|]/.test(value)) return 'A pattern may use *, **, ?, [..] and {a,b}, but not "(", ")" or "|".';
  const parts = value.split('/');
  if (parts.slice(0, -1).filter((part) => part.includes('**')).length > 2)
    return 'A pattern may have at most two "**" before its end.';
  const crowded = parts.some((part) => part !== '**' && (part.match(/\*\*?|[+{]/g) ?? []).length > 3);
  return crowded ? 'A part of a pattern may have at most three of "*", "+" and "{".' : null;
}

function problemOrError(find: () => string | null): string | null {
  try {
    return find();
  } catch (error) {
    return error instanceof Error ? error.message : 'This is not valid.';
  }
}

/** A name of Kubernetes whose placeholders are filled by names of a scope. */
export function templateNameProblem(value: string): string | null {
  const plain = value.replace(/\{(?:tenant|environment|service)\}/g, 'x');
  if (/[{}]/.test(plain)) return 'The placeholders are {tenant}, {environment} and {service}.';
  return /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(plain)
    ? null
    : 'A name has lower-case letters, digits, "." and "-", and placeholders.';
}
