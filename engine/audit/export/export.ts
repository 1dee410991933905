/** The export of an audit: the whole population of changes of a period, each with who, by which key and which policy, and what proves it. */
import {
  type Coordinates,
  type EnvironmentName,
  isRequestId,
  type ObjectId,
  type RequestId,
} from '../../model/index.ts';
import { readFile } from 'node:fs/promises';
import { shownAddress } from '../../git/process/failure.ts';
import { parseScope } from '../../layout/layout.ts';
import { concerns } from '../../record/arrived.ts';
import type { Audit } from '../audit.ts';
import { isAsked, isWithin, judgeAll } from '../judge.ts';
import { type Completed, readWhole } from '../ledger/whole.ts';
import { type AuditInput, auditOf, type Opened, withOpened } from '../opened.ts';
import { outsideOf } from '../outside.ts';
import { type JudgedRow, missingRow } from '../rows.ts';
import { glassOf } from './break-glass.ts';
import { changeOf, type Made, type Subject } from './change.ts';
import { configurationChanges, holdersAt, without } from './configuration.ts';
import { createBudget } from './difference.ts';
import { directCommits } from './direct.ts';
import { dutiesOf } from './duties.ts';
import { isoOf, parsePeriod } from './period.ts';
import { type Places, placesOf } from './places.ts';
import { type Population, populationOf } from './population.ts';
import { recoveryOf } from './recovery.ts';
import { scriptOf } from './script.ts';
import type { AuditExport, ExportAsk, ExportedChange } from './types.ts';

/** Changes that are read side by side. */
const TOGETHER = 16;
/** Changes whose signatures are looked at together. */
const AHEAD = 10 * TOGETHER;

/** @throws INVALID_REQUEST for a period that is none, SCOPE_INVALID, and as `openAuditReader` */
export async function exportAudit(input: AuditInput, ask: ExportAsk): Promise<AuditExport> {
  const { snapshot, context } = input;
  const period = parsePeriod(ask.from, ask.to);
  const scopes = (ask.scopes ?? []).map((scope) => parseScope(snapshot.layout, scope));
  const now = Math.floor(context.clock.now() / 1000) * 1000;
  return withOpened(input, ask.reader, async (opened) => {
    const { reader, line, ledger, tell } = opened;
    // A ledger is whole, or it proves nothing: all of it is looked at, whatever the period.
    const facts = await readWhole(ledger, reader, tell);
    const { audit, arrived } = auditOf(input, opened, { completed: facts.completed, renders: false });
    const places = placesOf(line, period, now);
    const { range, start, end } = places;
    const judged = range === null ? [] : await judgeAll(audit, { range, at: arrived, tell });
    const population = await populationOf(ledger, period, now);
    const { subjects, others } = subjectsOf(audit, {
      judged,
      population,
      completed: facts.completed,
      scopes,
    });
    const budget = createBudget();
    const read = (subject: Subject) => changeOf(audit, subject, budget);
    const all = await readAll(audit, subjects, { read, tell });
    // Rows were chosen by their scopes already; what the ledger alone has is known once it is read.
    const made = all.filter(({ of }) => of === null || isConcerned(of, scopes));
    const changes = made.map(({ change }) => change);
    const rows = new Set(judged.map(({ row }) => row.commit));
    const isOurs = (id: ObjectId) =>
      rows.has(id) ||
      arrived.has(id) ||
      audit.arrivedDeliveries.has(id) ||
      line.marks.get(id)?.kind === 'delivery';
    const beginning = places.before === null ? null : await holdersAt(audit, end);
    const ending = await holdersAt(audit, Math.min(start, line.ids.length - 1));
    const breakGlass = glassOf(population, made, period);
    const stated = {
      form: 1 as const,
      period: { from: isoOf(period.from), until: isoOf(period.until) },
      repository: shownAddress(context.git.location),
      reader: reader.name,
      madeAt: isoOf(now),
      branch: branchOf(audit, places, judged),
      ledger: ledgerOf(audit, population, [...ledger.problems, ...facts.problems]),
      counts: countsOf(changes, breakGlass),
      changes,
      duties: dutiesOf(changes),
      breakGlass,
      recovery: recoveryOf(changes),
      configuration: await configurationChanges(audit, places, budget),
      permissions: {
        start: beginning,
        end: ending,
        added: without(ending, beginning),
        removed: without(beginning, ending),
      },
      direct: await directCommits(audit, places, {
        isOurs,
        isAsked: (environment) => isConcerned(environment, scopes),
      }),
      outside:
        range === null ? [] : await outsideOf(audit, { range, isWithin: isWithin(line, range), arrived }),
      signers: context.allowedSigners === null ? null : await readFile(context.allowedSigners, 'utf8'),
    };
    const { chain } = population;
    return { ...stated, script: scriptOf({ ...stated, made, chain, others }) };
  });
}

interface Found {
  readonly judged: readonly JudgedRow[];
  readonly population: Population;
  readonly completed: readonly Completed[];
  readonly scopes: readonly Coordinates[];
}

/** Rows of the branch, newest first, then what the ledger alone has of the period. */
function subjectsOf(audit: Audit, { judged, population, completed, scopes }: Found) {
  const touched = new Set<RequestId>(population.requests);
  const missing = missingIn(audit, completed).filter(({ row }) => touched.has(row.requestId));
  const meant = [...missing, ...judged].filter((row) => isAsked(row, scopes));
  const rowed = new Set(meant.map(({ row }) => row.requestId));
  const own = new Set(judged.map(({ row }) => row.commit));
  const others = judged.filter((row) => !meant.includes(row)).map(({ row }) => row.commit);
  const subjects: Subject[] = meant.map(({ row }) => ({
    row,
    requestId: row.requestId,
    within: own.has(row.commit) ? 'commit' : 'events',
  }));
  const elsewhere = new Set(judged.map(({ row }) => row.requestId));
  for (const requestId of population.requests.toReversed())
    if (!rowed.has(requestId) && !elsewhere.has(requestId))
      subjects.push({ row: null, requestId, within: 'events' });
  return { subjects, others: [...new Set(others)] };
}

const missingIn = (audit: Audit, completed: readonly Completed[]) =>
  completed.flatMap((done) => missingRow(audit, done) ?? []);

async function readAll(
  { ledger }: Audit,
  subjects: readonly Subject[],
  { read, tell }: { readonly read: (subject: Subject) => Promise<Made>; readonly tell: Opened['tell'] },
): Promise<Made[]> {
  const all: Made[] = [];
  for (let from = 0; from < subjects.length; from += TOGETHER) {
    if (from % AHEAD === 0) {
      const ids = subjects.slice(from, from + AHEAD).map(({ requestId }) => requestId);
      await ledger.expect(ids.filter((id) => isRequestId(id)));
    }
    all.push(...(await Promise.all(subjects.slice(from, from + TOGETHER).map(read))));
    tell(all.length, subjects.length);
  }
  return all;
}

function branchOf(
  { line, reader, branch }: Audit,
  { start, end, range, before, misdated }: Places,
  judged: readonly JudgedRow[],
): AuditExport['branch'] {
  return {
    name: branch,
    tip: line.ids[0] ?? '',
    before,
    first: range === null ? null : (line.ids[end - 1] ?? null),
    last: range?.to ?? null,
    commits: end - start,
    rollbacks: judged.length,
    misdated,
    shallow: reader.shallow,
  };
}

function ledgerOf(
  { ledger }: Audit,
  { before, chain, events, requests, states }: Population,
  problems: AuditExport['ledger']['problems'],
): AuditExport['ledger'] {
  return {
    ref: ledger.ref,
    tip: ledger.tip,
    before,
    first: chain[0]?.commit ?? null,
    last: chain.at(-1)?.commit ?? null,
    commits: chain.length,
    events,
    signed: chain.filter(({ signed }) => signed !== null).length,
    requests: requests.length,
    states,
    problems,
  };
}

function countsOf(
  changes: readonly ExportedChange[],
  sessions: AuditExport['breakGlass'],
): AuditExport['counts'] {
  const count = (is: (change: ExportedChange) => boolean) => changes.filter(is).length;
  const uses = sessions.flatMap((session) => session.uses);
  return {
    changes: changes.length,
    published: count(({ within }) => within === 'commit'),
    honest: count(({ audit }) => audit?.verdict === 'honest'),
    tampered: count(({ audit }) => audit?.verdict === 'tampered'),
    unverifiable: count(({ audit }) => audit?.verdict === 'unverifiable'),
    selfApproved: count(({ votes }) =>
      votes.some(({ counts, isOwn, decision }) => counts && isOwn && decision === 'approved'),
    ),
    breakGlass: uses.length,
    unreviewed: uses.filter(({ hoursToReview }) => hoursToReview === null).length,
  };
}

/** Whether an environment is one that was asked for, or holds one, or is held by one. */
const isConcerned = (of: Coordinates | EnvironmentName, scopes: readonly Coordinates[]) =>
  scopes.length === 0 || scopes.some((scope) => concerns(of, scope));
