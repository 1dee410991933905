/** A repository with many services, each with something to go back to, whose production needs two approvals. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

const CONFIG = `version: 1
branch: main
layout:
  service: [ "envs/{environment}/{service}/**" ]
policy:
  environments:
    - { match: "**", quorum: 2 }
`;

export function makeRepository(directory: string, services: number): void {
  mkdirSync(directory, { recursive: true });
  git(directory, ['init', '--quiet', '--bare', '-b', 'main', '.']);
  const commit = (mark: number, tag: string, more: string) => {
    const from = mark === 1 ? '' : `from :${mark - 1}\n`;
    const head = `commit refs/heads/main\nmark :${mark}\ncommitter Jane <jane@example.com> ${1_790_000_000 + mark} +0000\n`;
    const files = Array.from({ length: services }, (_, index) =>
      file(`envs/production/s${index}/values.yaml`, `image: ${tag}\n`),
    );
    return `${head}${data(`All to ${tag}`)}${from}${more}${files.join('')}\n`;
  };
  const stream = commit(1, 'v1', file('.backtrail/config.yaml', CONFIG)) + commit(2, 'v2', '');
  git(directory, ['fast-import', '--quiet'], stream);
}

export const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
export const file = (path: string, text: string) => `M 100644 inline ${path}\n${data(text)}`;

export function git(directory: string, args: readonly string[], input = ''): string {
  const done = spawnSync('git', ['-C', directory, ...args], { input, encoding: 'utf8', maxBuffer: 2 ** 30 });
  if (done.status !== 0) throw new Error(`git ${args.join(' ')}: ${done.stderr}`);
  return done.stdout;
}
