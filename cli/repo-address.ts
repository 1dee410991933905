/** Where a repository is, as workers understand it. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';

/** A worker runs in another folder: paths become absolute, without links; URLs and git's `host:path` stay. */
export function address(repo: string): string {
  if (/^[A-Za-z][\w+.-]*:\/\/|^[^/.][^/]*:/.test(repo)) return repo;
  try {
    return realpathSync(repo);
  } catch {
    return resolve(repo);
  }
}
