/** `layout.shared`: files that several environments use. No scope holds them. */
import { bindPath, compilePattern, type Pattern } from './pattern.ts';

export interface SharedFiles {
  readonly patterns: readonly Pattern[];
  isShared(path: string): boolean;
  /** Is every file below this folder shared, whatever its name? */
  isSharedFolder(path: string): boolean;
}

export function compileShared(texts: readonly string[]): SharedFiles {
  const folders = texts
    .filter((text) => text.endsWith('/**'))
    .map((text) => text.replace(/(?:\/\*\*)+$/, ''));
  // A link in the place of a folder that is shared is shared as the folder is.
  const links = folders.filter((text) => !/[*?{]/.test(text.slice(text.lastIndexOf('/') + 1)));
  const [files, whole] = [matcher([...texts, ...links]), matcher(folders)];
  return { patterns: texts.map((text) => compilePattern(text)), isShared: files, isSharedFolder: whole };
}

export function matcher(texts: readonly string[]): (path: string) => boolean {
  const all = texts.map((text) => bindPath(compilePattern(text), {}));
  return (path) => all.some((paths) => paths.match(path) !== null);
}
