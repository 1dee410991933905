import { isSafePath, type Finding } from '../../model/index.ts';
import { isSubmodule } from '../content.ts';
import type { CheckContext } from '../plan.ts';

/** Names and entries that cannot be restored safely, anywhere in the scope, on either side. */
export function checkNames({ base, target }: CheckContext): Finding[] {
  const findings = new Map<string, Finding>();
  const add = (code: 'NAME_NOT_UTF8' | 'SUBMODULE_IN_SCOPE' | 'PATH_UNSAFE', path: string, message: string) =>
    findings.set(`${code} ${path}`, { code, severity: 'block', message, path });
  for (const file of [base, target].flatMap((content) => [
    ...content.files.values(),
    ...content.shared.values(),
  ])) {
    const name = JSON.stringify(file.path);
    if (!file.utf8) add('NAME_NOT_UTF8', file.path, `The name of ${name} is not UTF-8.`);
    else if (!isSafePath(file.path)) add('PATH_UNSAFE', file.path, `The tree holds the unsafe path ${name}.`);
    else if (isSubmodule(file)) add('SUBMODULE_IN_SCOPE', file.path, `${name} is a submodule.`);
  }
  return [...findings.values()];
}
