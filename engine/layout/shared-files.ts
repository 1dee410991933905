/** `layout.shared`: files that several environments use. They belong to no scope. */
import { bindPath, compilePattern, type Pattern } from './pattern.ts';

export interface SharedFiles {
  readonly patterns: readonly Pattern[];
  isShared(path: string): boolean;
  /** Whether every file below this folder is shared. */
  isSharedFolder(path: string): boolean;
}

export function compileShared(texts: readonly string[]): SharedFiles {
  const folders = texts
    .filter((text) => text.endsWith('/**'))
    .map((text) => text.replace(/(?:\/\*\*)+$/, ''));
  // A symlink at the path of a shared folder is shared as well.
  const links = folders.filter((text) => !/[*?{]/.test(text.slice(text.lastIndexOf('/') + 1)));
  const [files, whole] = [pathMatcher([...texts, ...links]), pathMatcher(folders)];
  return { patterns: texts.map((text) => compilePattern(text)), isShared: files, isSharedFolder: whole };
}

function pathMatcher(texts: readonly string[]): (path: string) => boolean {
  const all = texts.map((text) => bindPath(compilePattern(text), {}));
  return (path) => all.some((paths) => paths.match(path) !== null);
}
