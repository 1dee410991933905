import { type Finding, isSafePath, MODE, quotePath } from '../../model/index.ts';
import type { CheckContext } from '../check-context.ts';

/** PATH_UNSAFE for names that are not safe to check out, on either side; SUBMODULE_IN_SCOPE for changed submodules. */
export function checkNames({ base, target, files }: CheckContext): Finding[] {
  const findings = new Map<string, Finding>();
  for (const content of [base, target])
    for (const path of [...content.files.keys(), ...content.shared.keys()])
      if (!isSafePath(path)) {
        const message = `The tree has the unsafe path ${quotePath(path)}.`;
        findings.set(path, { code: 'PATH_UNSAFE', severity: 'block', message, path });
      }
  for (const { path, before, after } of files) {
    if (![before?.mode, after?.mode].includes(MODE.submodule) || findings.has(path)) continue;
    const message = `${quotePath(path)} is a submodule: only its entry ${before?.mode === after?.mode ? 'changes' : 'is added or removed'}, not its content.`;
    findings.set(path, { code: 'SUBMODULE_IN_SCOPE', severity: 'warn', message, hint: SUBMODULE, path });
  }
  return [...findings.values()];
}

const SUBMODULE = 'Check that its repository still has the commit, and that .gitmodules lists it.';
