import { expect } from 'vitest';
import { backtrail, completedOf } from '../helpers/program/cli.ts';
import type { Repo } from '../helpers/repositories/repo.ts';

export const SERVICE = 'acme/production/api-gateway';
export const FILE = 'tenants/acme/production/services/api-gateway/service.yaml';
/** A file of another service. */
export const OTHER = 'tenants/acme/production/services/billing/service.yaml';
export const BACK = ['rollback', SERVICE, '--yes', '--reason', 'It answers 500'];

type Result = ReturnType<typeof completedOf>;

export async function roll(
  repo: Pick<Repo, 'folder' | 'env'>,
  { args = [], cwd }: { args?: string[]; cwd?: string } = {},
): Promise<Result> {
  return completedOf(
    await backtrail(repo, [...BACK, '-o', 'json', ...args], cwd === undefined ? {} : { cwd }),
  );
}

/** Of findings about the clone: what images there are, and what is held, is the same everywhere. */
export const codes = ({ findings }: { findings: readonly { code: string }[] }) =>
  findings.map(({ code }) => code).filter((code) => !/^(?:IMAGE|HOLD)_/.test(code));

/** The upstream's branch ends with the two commits of the rollback. */
export async function publishedTo(upstream: Repo, result: Result, branch = 'main'): Promise<void> {
  expect(await upstream.git('rev-parse', branch, `${branch}~1`, `${branch}~2`)).toBe(
    `${result.deliveryCommit}\n${result.commit}\n${result.base}`,
  );
}

/** A commit of another person arrives on the upstream's main; gives it. No hook runs. */
export async function pushed(upstream: Repo, path: string, edit: (text: string) => string): Promise<string> {
  const text = await upstream.git('show', `main:${path}`);
  const files = { [path]: `${edit(text)}\n` };
  const [commit = ''] = await upstream.replay([{ files, date: '2026-11-20T12:00:00+00:00' }]);
  return commit;
}

/** A hook of the server. */
export function hook(upstream: Repo, name: string, script: string): Promise<void> {
  return upstream.write({ [`hooks/${name}`]: { executable: `#!/bin/sh\n${script}\n` } });
}
