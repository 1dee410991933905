import { createHash } from 'node:crypto';

/**
 * How Redis lists a worker: its name, and which repositories it serves where these are not all. Redis refuses blanks there,
 * and an address may hold a password: so repositories are told by their hash.
 */
export function clientName(name: string, allowedRepos: readonly string[] | undefined): string {
  const plain = name.replace(/[^\w.-]/g, '-');
  return [plain, ...(allowedRepos ?? []).map(hashOf)].join(SERVES);
}

/** May a worker of this name take a rollback of the repository? */
export function mayServe(client: string, repo: string): boolean {
  const [, ...served] = client.split(SERVES);
  return served.length === 0 || served.includes(hashOf(repo));
}

const SERVES = '--serves-';

const hashOf = (repo: string) => createHash('sha256').update(repo).digest('hex').slice(0, 16);
