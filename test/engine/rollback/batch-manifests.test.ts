import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Engine, RequestId } from '../../../engine/internal.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { CONFIG } from '../../helpers/repositories/plan-repo.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

const policy = { environments: [{ match: '*', quorum: 0, unsignedRequests: true }] };

async function askAll(engine: Engine, wishes: readonly { scope: string; fields?: string[] }[]) {
  const asks = [];
  for (const wish of wishes) {
    const { target, digest, base } = await engine.rollbacks.plan({ ...wish, author: JANE });
    asks.push({ ...wish, target, digest, base, author: JANE, reason: 'It answers 500' });
  }
  return (await engine.rollbacks.requestMany(asks)).map((result): RequestId => {
    if (result.status === 'rejected') throw result.reason;
    return result.value.requestId;
  });
}

const SERVICES = 'tenants/acme/production/services';
const VARIABLES = 'tenants/acme/production/variables.yaml';

/** A service that is gone, and a variable that all services use, each with an older version. */
async function variablesAndAService() {
  const repo = await createRepo({ bare: true });
  const config = {
    ...CONFIG,
    delivery: { output: 'out/{tenant}/{environment}/{service}.yaml' },
    policy: { environments: [{ match: '*/*', quorum: 0, unsignedRequests: true }] },
  };
  const map = (name: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { b: "\${B}" }\n`;
  const variables = (b: string) => ({ [VARIABLES]: `variables: { B: ${b} }\n` });
  await repo.replay([
    {
      files: {
        '.backtrail/config.yaml': `${JSON.stringify(config)}\n`,
        [`${SERVICES}/api/map.yaml`]: map('api'),
        ...variables('old'),
      },
    },
    { files: { [`${SERVICES}/web/map.yaml`]: map('web') } },
    { files: variables('new') },
    { files: { [`${SERVICES}/web/map.yaml`]: null } },
  ]);
  const engine = await engineOf(repo, { location: `file://${repo.folder}` });
  const ids = await askAll(engine, [
    { scope: 'acme/production/web' },
    { scope: 'acme/production', fields: [`${VARIABLES}#/variables/B`] },
  ]);
  return { repo, engine, ids };
}

describe('manifests of rollbacks that are executed together', () => {
  it('are those that executing one after the other delivers, where one brings back what the other changes', async () => {
    const [together, apart] = [await variablesAndAService(), await variablesAndAService()];
    await together.engine.requests.executeRequests(together.ids.map((id) => ({ id })));
    for (const id of apart.ids) await apart.engine.requests.executeRequest(id);
    expect(await together.repo.git('show', 'main:out/acme/production/web.yaml')).toContain('b: old');
    expect(await together.repo.git('rev-parse', 'main^{tree}')).toBe(
      await apart.repo.git('rev-parse', 'main^{tree}'),
    );
  });

  it.runIf(isProof)('are rendered again where a bot adds a folder that the command looks into', async () => {
    const names =
      'fs.readdirSync(".", { recursive: true }).filter((n) => n.endsWith("common.txt")).sort().join()';
    const run = `const fs = require("fs"); console.log(JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, data: { seen: ${names} } }))`;
    const command = { run: ['node', '-e', run], inputs: ['*/common.txt'], version: ['node', '--version'] };
    const config = {
      version: 1,
      layout: { service: ['apps/{environment}/{service}/**'] },
      keep: [],
      policy,
      delivery: { output: 'out/{environment}/{service}.yaml', command },
    };
    const repo = await createRepo({ bare: true });
    await repo.replay([
      {
        files: {
          '.backtrail/config.yaml': `${JSON.stringify(config)}\n`,
          'one/common.txt': '1',
          'apps/prod/a/x.txt': 'v1',
        },
      },
      { files: { 'apps/prod/a/x.txt': 'v2' } },
    ]);
    const engine = await engineOf(repo, { location: `file://${repo.folder}`, renderCommands: ['node'] });
    const ids = await askAll(engine, [{ scope: 'prod/a' }]);
    const bump = `commit refs/heads/main\\ncommitter Bot <bot@example.com> 1790000000 +0000\\ndata 4\\nbump\\nfrom refs/heads/main^0\\nM 100644 inline two/common.txt\\ndata 2\\n2\\n\\ndone\\n`;
    const outside = 'env -u GIT_QUARANTINE_PATH -u GIT_OBJECT_DIRECTORY -u GIT_ALTERNATE_OBJECT_DIRECTORIES';
    const hook = `#!/bin/sh\n[ -e bot ] || { touch bot; printf '${bump}' | ${outside} git --git-dir='${repo.gitDir}' fast-import --quiet --done --force; }\n`;
    await writeFile(join(repo.gitDir, 'hooks/pre-receive'), hook, { mode: 0o755 });
    await engine.requests.executeRequests(ids.map((id) => ({ id })));
    expect(await repo.git('show', 'main:two/common.txt')).toBe('2');
    expect(await repo.git('show', 'main:out/prod/a.yaml')).toContain('one/common.txt,two/common.txt');
  });
});
