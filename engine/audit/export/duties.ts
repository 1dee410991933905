/** Separation of duties: who asked, who approved, who executed; and where that was one person, or one key. */
import { emailKey } from '../../model/index.ts';
import type { Duty, DutyFlag, ExportedChange } from './types.ts';

/** Of changes whose commit belongs to the period; most frequent first. */
export function dutiesOf(changes: readonly ExportedChange[]): Duty[] {
  const duties = new Map<string, Duty & { requests: string[]; flags: DutyFlag[] }>();
  for (const change of changes) {
    const { asked, executed, requestId, within } = change;
    if (asked === null || executed === null || within !== 'commit') continue;
    for (const { approved, flags } of approvalsOf(change)) {
      const one = { asked: emailKey(asked.by.email), approved, executed: emailKey(executed.by.email) };
      const key = JSON.stringify([one, flags]);
      const duty = duties.get(key) ?? { ...one, count: 0, flags: [...flags], requests: [] };
      duty.requests.push(requestId);
      duties.set(key, { ...duty, count: duty.count + 1 });
    }
  }
  return [...duties.values()].sort((one, other) => other.count - one.count);
}

function approvalsOf({
  votes,
  asked,
  breakGlass,
  policy,
}: ExportedChange): { readonly approved: string | null; readonly flags: readonly DutyFlag[] }[] {
  const counted = votes.filter(({ counts, decision }) => counts && decision === 'approved');
  const needed = Math.max(0, ...(policy?.rules.map(({ quorum }) => quorum) ?? []));
  const general: DutyFlag[] = breakGlass !== null ? ['break-glass'] : [];
  if (counted.length === 0) {
    const flags: DutyFlag[] = breakGlass === null && needed > 0 ? ['unapproved'] : general;
    return [{ approved: null, flags }];
  }
  return counted.map(({ by, key, server, isOwn }) => {
    const approved = emailKey(by.email);
    const isKey = key !== null && key === asked?.key && !server;
    // Under another email of the same person, too.
    const isSelf = approved === emailKey(asked?.by.email ?? '') || (isOwn && !isKey);
    const isSameKey = !isSelf && isKey;
    const flags: DutyFlag[] = [
      ...general,
      ...(isSelf ? (['self-approved'] as const) : []),
      ...(isSameKey ? (['same-key'] as const) : []),
    ];
    return { approved, flags };
  });
}
