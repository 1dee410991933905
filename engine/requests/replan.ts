/** A request's plan on the branch as it is now, and what is different from the one that reviewers saw. */
import type { FieldChange, LedgerRequest, ObjectId, RequestEvent } from '../model/index.ts';
import { makeSnapshot, type Snapshot } from '../snapshot/snapshot.ts';
import type { Planned } from '../rollback/planning/planned.ts';
import { planRequested } from '../rollback/plan.ts';
import { type RequestContext, stamp } from './context.ts';
import { termsOf } from './terms.ts';

/** `asks`: for a person to look at. */
export async function replan(
  context: RequestContext,
  request: LedgerRequest,
  how: { readonly asks?: boolean } = {},
): Promise<Planned> {
  const snapshot = await context.observe();
  const { programs, clock } = context;
  const tools = how.asks ? context : { programs, clock };
  return planRequested(snapshot, request, tools, { asks: how.asks ? 'read' : 'known' });
}

export function isChanged(request: LedgerRequest, planned: Planned, bind: 'digest' | 'rendered'): boolean {
  const { digest, rendered } = termsOf(planned);
  return digest !== request.digest || (bind === 'rendered' && rendered !== request.rendered);
}

/** The event that asks reviewers again. */
export async function replannedEvent(
  context: RequestContext,
  request: LedgerRequest,
  planned: Planned,
): Promise<RequestEvent> {
  return {
    ...stamp(context, context.committer),
    type: 'replanned',
    terms: termsOf(planned),
    difference: await differenceOf(context, request, planned),
  };
}

const LINES = 100;
const WIDTH = 1000;

/** Lines of the plan that came (`+`) and went (`-`) since the one that was confirmed. */
async function differenceOf(
  context: RequestContext,
  request: LedgerRequest,
  now: Planned,
): Promise<string[]> {
  const before = await linesAt(context, request, now.snapshot).catch(() => null);
  const after = linesOf(now);
  const lines =
    before === null
      ? after.map((line) => `+ ${line}`)
      : [
          ...without(before, after).map((line) => `- ${line}`),
          ...without(after, before).map((line) => `+ ${line}`),
        ];
  const shown = lines
    .slice(0, LINES)
    .map((line) =>
      line.length > WIDTH ? `${line.slice(0, WIDTH)}… (${line.length - WIDTH} more characters)` : line,
    );
  return lines.length > LINES ? [...shown, `… ${lines.length - LINES} more`] : shown;
}

function without(lines: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return lines.filter((line) => !known.has(line));
}

/** The plan as it was: made again on the commit that it was made on. */
async function linesAt(context: RequestContext, request: LedgerRequest, now: Snapshot): Promise<string[]> {
  const { branch, layout, reader, history, hasher } = now;
  const base: ObjectId = request.base;
  const snapshot = makeSnapshot({ branch, base, layout, reader, history, hasher });
  return linesOf(
    await planRequested(snapshot, request, { programs: context.programs, clock: context.clock }),
  );
}

/** One line a change; values are masked where the plan masks them. */
function linesOf({ plan, delivery }: Planned): string[] {
  const files = [...plan.changes.flatMap(({ files }) => files), ...delivery.differences];
  return files.flatMap(({ path, change, fields, diff = '' }) =>
    fields && fields.length > 0
      ? fields.flatMap((field) => linesOfField(path, field))
      : [`${path}: ${change}`, ...changedLines(diff).map((line) => `${path}: ${line}`)],
  );
}

function linesOfField(
  path: string,
  { selector, before = 'nothing', after = 'nothing', diff }: FieldChange,
): string[] {
  const name = `${path}#${selector}`;
  return diff === undefined
    ? [`${name}: ${before} → ${after}`]
    : [name, ...changedLines(diff).map((line) => `${name}: ${line}`)];
}

/** Without the names of the files, which stand before the first hunk; a line with `--` in it is like any other. */
function changedLines(diff: string): string[] {
  const from = diff.search(/^@@/m);
  return diff
    .slice(Math.max(0, from))
    .split('\n')
    .filter((line) => /^[-+]/.test(line));
}
