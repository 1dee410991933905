/** Branches that take no push: a pre-receive hook that reads, at every push, what to refuse and in which words. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostKind } from '../../../../../engine/model/index.ts';
import type { HostSettings } from '../settings.ts';

const HOOK = `#!/bin/sh
refused=0
words=hooks/refusal
while read -r old new ref; do
  branch=\${ref#refs/heads/}
  while IFS= read -r pattern; do
    case "$branch" in
      $pattern) refused=1; sed "s|BRANCH|$branch|g" "$words" >&2 ;;
    esac
  done < hooks/protected
done
exit $refused
`;

const WORDS: Readonly<Record<HostKind, (settings: HostSettings) => string>> = {
  github: ({ protectedBy }) =>
    protectedBy === 'ruleset'
      ? [
          'error: GH013: Repository rule violations found for refs/heads/BRANCH.',
          'Review all repository rules at http://localhost/rules?ref=refs%2Fheads%2FBRANCH',
          '',
          '- Changes must be made through a pull request.',
          '',
        ].join('\n')
      : [
          'error: GH006: Protected branch update failed for refs/heads/BRANCH.',
          'error: Changes must be made through a pull request.',
          '',
        ].join('\n'),
  gitlab: () => 'GitLab: You are not allowed to push code to protected branches on this project.\n',
  gitea: () => 'Gitea: Not allowed to push to protected branch BRANCH\n',
};

/** Who goes past the hook does so by moving the ref itself, as the host does when it merges. */
export async function protect(folder: string, kind: HostKind, settings: HostSettings): Promise<void> {
  const hooks = join(folder, 'hooks');
  await mkdir(hooks, { recursive: true });
  const patterns = settings.mayBypass ? [] : settings.protect;
  await writeFile(join(hooks, 'protected'), patterns.map((pattern) => `${pattern}\n`).join(''));
  await writeFile(join(hooks, 'refusal'), WORDS[kind](settings));
  await writeFile(join(hooks, 'pre-receive'), HOOK);
  await chmod(join(hooks, 'pre-receive'), 0o755);
}

/** The shell's patterns, as far as branches need them. */
export const isProtected = (branch: string, { protect }: HostSettings): boolean =>
  protect.some((pattern) =>
    new RegExp(
      `^${pattern
        .split('*')
        .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*')}$`,
    ).test(branch),
  );
