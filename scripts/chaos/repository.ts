/** A remote with many services, each with two earlier revisions; production needs an approval, and its hook refuses when it is told to. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { data, file, git } from './ledger/repository.ts';
import { askedFor, SERVICES } from './plan.ts';

const CONFIG = `version: 1
branch: main
layout:
  environment: [ "tenants/{tenant}/{environment}/**" ]
  service: [ "tenants/{tenant}/{environment}/{service}/**" ]
policy:
  environments:
    - { match: "*/production", quorum: 1 }
`;

/** With the file \`refuse\` it takes nothing, and never one of the requests that the file \`refused\` lists. */
const HOOK = `#!/bin/sh
if [ -e refuse ]; then echo "nothing is taken at the moment" >&2; exit 1; fi
while read -r old new ref; do
  [ "$ref" = refs/heads/main ] || continue
  if git log --format=%B "$old..$new" | grep -qFf refused; then echo "one of these is not taken" >&2; exit 1; fi
done
exit 0
`;

/** Commits of the first-parent line before anything was rolled back: a whole deployment of a tenant each, and the first. */
export function makeRemote(
  directory: string,
  { seed, rollbacks }: { seed: number; rollbacks: number },
): void {
  mkdirSync(directory, { recursive: true });
  git(directory, ['init', '--quiet', '--bare', '-b', 'main', '.']);
  git(directory, ['config', 'core.logAllRefUpdates', 'true']);
  git(directory, ['config', 'receive.autogc', 'false']);
  const tenants = Math.ceil(rollbacks / SERVICES);
  const commits = [commit('Everything', file('.backtrail/config.yaml', CONFIG))];
  for (const version of [1, 2, 3])
    for (let tenant = 0; tenant < tenants; tenant += 1)
      commits.push(commit(`Tenant ${tenant} to v${version}`, deployment(tenant, version)));
  git(directory, ['fast-import', '--quiet'], commits.join(''));
  git(directory, ['commit-graph', 'write', '--reachable', '--changed-paths']);
  const refused = Array.from({ length: rollbacks }, (_, number) => askedFor(seed, number))
    .filter((asked) => asked.refused)
    .map(({ id }) => `${id}\n`);
  // A list without a line would match nothing, one with an empty line everything.
  writeFileSync(join(directory, 'refused'), refused.join('') || 'none\n');
  writeFileSync(join(directory, 'hooks/pre-receive'), HOOK, { mode: 0o755 });
}

function deployment(tenant: number, version: number): string {
  return Array.from({ length: SERVICES }, (_, index) => {
    const { folder } = askedFor(0, tenant * SERVICES + index);
    const values = `image:\n  repository: registry.example.com/app\n  tag: v${version}.0\nreplicas: ${version + 1}\n`;
    const limits = `# ${folder}\ncpu: ${version}00m\n`;
    return (
      file(`${folder}/values.yaml`, values) + (version === 2 ? '' : file(`${folder}/limits.yaml`, limits))
    );
  }).join('');
}

let made = 0;
function commit(text: string, files: string): string {
  made += 1;
  const time = 1_790_000_000 + made * 60;
  return `commit refs/heads/main\ncommitter Jane <jane@example.com> ${time} +0000\n${data(text)}${files}\n`;
}
