/** What happens to the repository between the calls of a tour. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gitIn, type Scene } from './served.ts';

/** The branch takes no push. The ledger still takes what is written to it. */
export function freezeBranch({ remote }: Scene): void {
  const hook = join(remote, 'hooks/update');
  writeFileSync(hook, '#!/bin/sh\ncase "$1" in refs/heads/*) echo "The branch is frozen."; exit 1;; esac\n');
  chmodSync(hook, 0o755);
}

/** The branch takes pushes again. */
export const thawBranch = ({ remote }: Scene): void => rmSync(join(remote, 'hooks/update'));

/** Somebody deploys another image of a service. Gives the commit. */
export function deploy(scene: Scene, service: string, tag: string): string {
  gitIn(scene, 'pull', '--quiet', '--rebase', 'origin', 'main');
  const path = join(
    scene.clone,
    'tenants',
    ...service.split('/').toSpliced(2, 0, 'services'),
    'service.yaml',
  );
  writeFileSync(path, readFileSync(path, 'utf8').replace(/tag: .*/, `tag: ${tag}`));
  gitIn(scene, 'commit', '--quiet', '-a', '-m', `Deploy ${tag}`);
  gitIn(scene, 'push', '--quiet', 'origin', 'HEAD:main');
  return gitIn(scene, 'rev-parse', 'HEAD');
}
