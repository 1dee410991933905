/** What a clone holds and plans. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { backtrail, jsonOf } from '../helpers/program/cli.ts';
import { type Repo } from '../helpers/repositories/repo.ts';
import { SERVICE } from './clone.ts';

export const read = (repo: Pick<Repo, 'folder'>, path: string) => readFile(join(repo.folder, path), 'utf8');

export const plan = async (repo: Repo, ...args: string[]) =>
  jsonOf(
    await backtrail(repo, ['plan', SERVICE, '-o', 'json', ...args]),
    z.looseObject({
      base: z.string(),
      branch: z.string(),
      findings: z.array(z.looseObject({ code: z.string(), message: z.string() })),
    }),
  );
