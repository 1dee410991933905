/**
 * Is this a path that may stand in a tree that people check out?
 * The rules are those of git's verify_path (read-cache.c): no empty, `.` or `..` component, nothing that a file system could
 * take for `.git` (case, HFS+ ignorable code points, NTFS short names, streams, trailing dots and blanks), no NUL.
 */
export function isSafePath(path: string): boolean {
  return path !== '' && !path.includes('\0') && path.split('/').every(isSafeName);
}

export function isSafeName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) return false;
  if (name.includes('\\')) return false;
  const folded = name.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '').toLowerCase();
  const stem = (folded.split(':')[0] ?? '').replace(/[. ]+$/, '');
  return stem !== '.git' && !/^git~\d+$/.test(stem) && !/^\.{1,2}$/.test(folded.replace(/[. ]+$/, '') || '.');
}
