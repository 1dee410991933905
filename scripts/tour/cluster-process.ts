/** The cluster of a tour in a process of its own: the tour's commands block this one while they run. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { claim } from './run.ts';

export interface ClusterProcess {
  readonly kubeconfig: string;
  /** `away`, `back`, `scale NAMESPACE/NAME REPLICAS`: answered when it is done. */
  say(command: string): Promise<void>;
  stop(): Promise<void>;
}

/** Applies what `repo` delivers on `main`. A Deployment with an image of the tag `bad` crashes. */
export async function startClusterProcess({
  folder,
  repo,
  bad,
}: {
  /** For what it writes. */
  readonly folder: string;
  readonly repo: string;
  readonly bad: string;
}): Promise<ClusterProcess> {
  const script = fileURLToPath(new URL('cluster.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, repo, '--bad', bad, '--folder', folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    claim(done !== true, 'The cluster ended');
    return value;
  };
  return {
    kubeconfig: await next(),
    say: async (command) => {
      child.stdin.write(`${command}\n`);
      const answer = await next();
      claim(answer === 'ok', `The cluster answered ${command} with ${answer}`);
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}
