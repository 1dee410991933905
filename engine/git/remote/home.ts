import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { repositoryKey } from '../../record/place.ts';
import { addressKey } from './address.ts';

/** Which of these addresses names the repository at `address`; null: none of them. Local paths are compared wherever links lead. */
export function findHome(repositories: readonly string[], address: string): string | null {
  const key = resolvedKey(address);
  return key === null ? null : (repositories.find((each) => resolvedKey(each) === key) ?? null);
}

function resolvedKey(address: string): string | null {
  const key = repositoryKey(address);
  return key?.startsWith('file:') ? commonKey(addressKey(address)) : key;
}

/** Of a linked worktree: the repository that it is of. */
function commonKey(key: string): string {
  const folder = key.slice('file:'.length);
  const gitDirectory = pointer(join(folder, '.git'), /^gitdir: (.+)$/m, folder);
  if (gitDirectory === null) return key;
  const common = pointer(join(gitDirectory, 'commondir'), /^(.+)$/m, gitDirectory) ?? gitDirectory;
  return addressKey(common);
}

function pointer(file: string, line: RegExp, from: string): string | null {
  try {
    const path = line.exec(readFileSync(file, 'utf8'))?.[1];
    return path === undefined ? null : resolve(from, path);
  } catch {
    return null;
  }
}
