/** What is wrong with one text of the configuration: a sentence, or null. */
import { isSafeName, isSafePath } from '../../model/index.ts';
import { parseLooseSelector, parseSelector } from '../../yaml/core/selector.ts';
import { compileExpression } from '../expression.ts';
import { pathProblem } from '../outputs.ts';
import { compilePattern, type Placeholder } from '../pattern.ts';

export function patternProblem(value: string, needs: readonly Placeholder[]): string | null {
  return attempt(() => {
    const { placeholders } = compilePattern(value);
    const missing = needs.find((name) => !placeholders.has(name));
    return missing ? `The pattern needs {${missing}}.` : null;
  });
}

/** A rule that nothing can match would keep nothing, and nobody would notice before a secret came back. */
export function keepProblem(value: string): string | null {
  if (value.startsWith('kind:'))
    return /^kind:[A-Za-z][A-Za-z0-9]*$/.test(value) ? null : 'A kind has a name, as in kind:Secret.';
  if (value.startsWith('format:')) return value === 'format:sops' ? null : 'The only format is format:sops.';
  if (value.startsWith('!')) return 'What is kept cannot be said with "!".';
  return attempt(() => {
    const [glob = '', selector] = value.split(/#(.*)/su);
    const problem = globProblem(glob);
    if (problem !== null) return problem;
    if (selector !== undefined && parseSelector(selector).length === 0) return 'The selector is empty.';
    return glob.split('/').some((name) => name === '' || name === '.' || name === '..')
      ? 'A pattern is a relative path without empty, "." or ".." parts.'
      : null;
  });
}

/** `path#selector`, or `#selector` for any file. */
export function showProblem(value: string): string | null {
  if (!value.includes('#')) return 'What is shown is path#selector, and the selector is missing.';
  if (value.startsWith('#'))
    return attempt(() => (parseLooseSelector(value.slice(1)).length === 0 ? 'The selector is empty.' : null));
  return keepProblem(value);
}

/** `path#selector`, or `#selector` where a service is a part of a file. */
export function fieldProblem(value: string): string | null {
  const [path = '', selector] = value.split(/#(.*)/su);
  if (path !== '' && !isSafePath(path)) return 'A field has a path inside the repository.';
  if (selector === undefined) return 'A field is path#selector, and the selector is missing.';
  return attempt(() =>
    parseLooseSelector(selector).length === 0 ? 'A field is path#selector, and the selector is empty.' : null,
  );
}

/** Where a service's manifests go: one path, once the coordinates are known. */
export function outputProblem(value: string): string | null {
  if (/[*?#]/.test(value)) return 'The output is a literal path with placeholders.';
  if (value.startsWith('.backtrail/')) return 'The folder .backtrail holds the configuration only.';
  if (!isSafePath(value)) return 'The output is a path inside the repository.';
  const problem = pathProblem(value);
  if (problem !== null) return problem;
  return patternProblem(value, ['environment']);
}

/** Files that a command needs: a pattern of paths, as in the layout. */
export function inputProblem(value: string): string | null {
  return value.includes('#')
    ? 'An input is a pattern of paths, without a selector.'
    : patternProblem(value, []);
}

/** Files that belong to no scope: a pattern of paths, as in the layout. */
export function sharedProblem(value: string): string | null {
  return value.includes('#')
    ? 'What is shared is a pattern of paths, without a selector.'
    : patternProblem(value, []);
}

/** The rules of git check-ref-format for a branch. */
export function branchProblem(value: string): string | null {
  const bad = /^[-/.]|^@$|[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|[./]$|\.lock(?:\/|$)/u.test(value); // oxlint-disable-line no-control-regex
  return bad ? 'This cannot be the name of a branch.' : null;
}

/** `acme/production`, with `*` inside names; or `**`. */
export function environmentsProblem(value: string): string | null {
  if (value === '**') return null;
  const parts = value.split('/');
  if (parts.some((part) => part.includes('**'))) return '"**" stands alone; inside a name it is "*".';
  if (/[?{}[\]()|!\\,]/.test(value)) return 'A pattern of environments has no wildcard but "*".';
  const fits = parts.every(
    (part) => isSafeName(part) && part.trim() === part && !/[\p{Cc}\p{Cf}]/u.test(part),
  );
  return fits ? null : 'A pattern is [tenant/]environment, as in acme/production or */production.';
}

export function ledgerProblem(value: string): string | null {
  const [, folder, name = ''] = /^refs\/(backtrail|heads)\/(.*)$/su.exec(value) ?? [];
  if (folder === undefined) return 'The ledger is refs/backtrail/NAME or refs/heads/NAME.';
  if (branchProblem(name) !== null || name === '') return 'This cannot be the name of a ref.';
  const own = folder === 'backtrail' && /^(?:staging|remote)(?:\/|$)/i.test(name);
  return own ? 'Backtrail keeps other things there.' : null;
}

export function expressionProblem(value: string): string | null {
  return attempt(() => {
    compileExpression(value);
    return value === '' ? 'An expression is empty.' : null;
  });
}

/**
 * Globs become regular expressions of JavaScript, which try every way to share a path among the stars: a few are plenty,
 * and what else makes ways to choose from is left out.
 */
export function globProblem(value: string): string | null {
  if (/[()|]/.test(value)) return 'A pattern has *, **, ?, [..] and {a,b}, and no "(", ")" or "|".';
  const parts = value.split('/');
  if (parts.slice(0, -1).filter((part) => part.includes('**')).length > 2)
    return 'A pattern has at most two "**" before its end.';
  const crowded = parts.some((part) => part !== '**' && (part.match(/\*\*?|[+{]/g) ?? []).length > 3);
  return crowded ? 'A part of a pattern has at most three of "*", "+" and "{".' : null;
}

function attempt(find: () => string | null): string | null {
  try {
    return find();
  } catch (error) {
    return error instanceof Error ? error.message : 'This is not valid.';
  }
}
