import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { provenResult } from '../../../workers/handover/proven-result.ts';
import { askFor, createScene } from '../../engine/requests/pull-requests/scene.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

it.runIf(isProof)(
  'says which pull request was opened, though the worker writes that down a moment later',
  async () => {
    const scene = await createScene();
    const { janes, worker, repo } = scene;
    const id = await askFor(scene);
    // The second push to the ledger waits until somebody has looked without it.
    const looked = join(await temporaryFolder(), 'looked');
    const hook = join(repo.gitDir, 'hooks', 'pre-receive');
    const wait = `while read -r _ _ ref; do [ "$ref" = refs/backtrail/ledger ] && only=1 || other=1; done
if [ -n "$only" ] && [ -z "$other" ]; then until [ -e '${looked}' ]; do sleep 0.05; done; fi`;
    await writeFile(hook, `#!/bin/sh\n${wait}\n`);
    await chmod(hook, 0o755);
    const seen: unknown[] = [];
    const engine = {
      location: () => janes.location(),
      destination: () => janes.destination(),
      findRequest: (asked: string) => janes.findRequest(asked),
      findRequests: (ids: readonly string[]) => janes.findRequests(ids),
      rollbacks: janes.rollbacks,
      requests: {
        show: async (asked: { readonly id: string }) => {
          const found = await janes.requests.show(asked);
          seen.push(found.pullRequest?.number);
          await writeFile(looked, '');
          return found;
        },
      },
    };
    const result = await provenResult(engine, id, () => worker.rollbacks.execute(id));
    expect(result).toMatchObject({ status: 'proposed', pullRequest: { number: 1 } });
    expect([seen[0], seen.at(-1)]).toEqual([undefined, 1]);
  },
);
