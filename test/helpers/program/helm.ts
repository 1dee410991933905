/** The real `helm`, from a package that holds it for x86-64 Linux alone. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../repositories/repo.ts';
import { hasLayer, unpackLayer } from './layer.ts';

export const hasHelm = hasLayer;

/** `helm template NAME CHART …`: what it prints. */
export type RenderChart = (...args: string[]) => Promise<string>;

/** Unpacks the program, and gives it a home of its own. */
export async function unpackHelm(): Promise<RenderChart> {
  const program = join(await unpackLayer('helm'), 'helm');
  const env = { HOME: await temporaryFolder(), PATH: '' };
  return async (...args) =>
    (await promisify(execFile)(program, ['template', ...args], { env, maxBuffer: 1024 * 1024 })).stdout;
}
