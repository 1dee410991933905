/** What a git host says goes into the record without credentials. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { someOf } from '../../helpers/run/proof.ts';
import { ask, configOf, policedRepo } from '../../helpers/people/requests.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';

const BOB = { name: 'Bob', email: 'bob@example.com' };
const SECRET = 'ghp_0123456789abcdefghij';

it.each(someOf(['executeMany', 'execute'] as const, 1))(
  'the ledger keeps no credentials that a git host says while it refuses a push: %s',
  async (how) => {
    const repo = await policedRepo(
      configOf({ environments: [{ match: 'prod', quorum: 1, unsignedApprovals: true }] }),
    );
    const hook = join(repo.gitDir, 'hooks/update');
    const refuse = `#!/bin/sh\ncase "$1" in refs/heads/*) echo "no: ${SECRET}"; exit 1;; esac\n`;
    await writeFile(hook, refuse, { mode: 0o755 });
    await repo.git('config', 'receive.denyCurrentBranch', 'ignore');
    const engine = await engineOf({ ...repo, folder: `file://${repo.gitDir}` });
    const { id } = await ask(engine, JANE);
    await engine.requests.approve({ id, actor: BOB });
    if (how === 'execute') await engine.rollbacks.execute(id).catch(() => undefined);
    else await engine.rollbacks.executeMany([{ id }]);
    const [failed] = await engine.requests.audit({ reader: JANE, limit: 1 });
    expect(failed).toMatchObject({ event: 'failed' });
    const written = await repo.git('log', '-p', '--format=%B', 'refs/backtrail/ledger');
    expect(written).toContain('no: ghp_***');
    expect(written).not.toContain(SECRET);
  },
);
