import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { backtrail, type CliOptions } from './cli.ts';
import type { Repo } from '../repositories/repo.ts';

const shape = z.object({
  checks: z.array(
    z.object({
      name: z.string(),
      status: z.enum(['ok', 'warn', 'fail']),
      message: z.string(),
      hint: z.string().optional(),
      details: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
});

export type SeenCheck = z.infer<typeof shape>['checks'][number];

export interface Diagnosis {
  readonly code: number | null;
  readonly checks: readonly SeenCheck[];
  /** All checks of a name; those that are not `ok` where it has any. */
  of(name: string): readonly SeenCheck[];
  /** The only one of that name. */
  one(name: string): SeenCheck;
}

/** What `doctor` says about a repository. */
export async function diagnose(
  repo: Pick<Repo, 'folder' | 'env'>,
  options: CliOptions & { args?: readonly string[] } = {},
): Promise<Diagnosis> {
  const { args = [], ...rest } = options;
  const { code, stdout, stderr } = await backtrail(repo, [...args, 'doctor', '-o', 'json'], rest);
  if (stderr !== '') throw new Error(`doctor failed: ${stderr}`);
  const { checks } = shape.parse(JSON.parse(stdout));
  const of = (name: string) => {
    const all = checks.filter((check) => check.name === name);
    const bad = all.filter(({ status }) => status !== 'ok');
    return bad.length > 0 ? bad : all;
  };
  return {
    code,
    checks,
    of,
    one: (name) => {
      const [check, second] = of(name);
      if (!check || second) throw new Error(`There are ${of(name).length} checks ${name}: ${stdout}`);
      return check;
    },
  };
}

/** Runs what a hint says behind its last `: `, or all of it where it is a command, as a person would paste it. */
export async function followHint(
  { hint = '' }: SeenCheck,
  repo: Pick<Repo, 'folder' | 'env'>,
): Promise<void> {
  const command = /(?:^|: )((?:git|rm|chmod) .*)$/.exec(hint)?.[1];
  if (command === undefined) throw new Error(`The hint holds no command: ${hint}`);
  await promisify(execFile)('sh', ['-c', command], { cwd: repo.folder, env: repo.env });
}
