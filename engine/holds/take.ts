/** Takes away what automation works by, in one file. Whatever could not be given back byte for byte stays. */
import type { TakenPart } from '../model/index.ts';
import type { AdapterSettings, Taking } from './adapters/adapter.ts';
import { ADAPTERS } from './adapters/index.ts';
import { giveBack } from './give-back.ts';
import { tryParse } from './held.ts';

/** A file that adapters look at. */
export interface Candidate {
  readonly path: string;
  readonly text: string;
  readonly settings: AdapterSettings;
  /** The rollback changes this file. */
  readonly isChanged: boolean;
}

export interface TakeInput extends Candidate {
  /** Canonical selectors of the restored fields of this file. */
  readonly fields: readonly string[];
}

const looking = ({ text, settings, isChanged }: Candidate) =>
  ADAPTERS.filter((adapter) => (isChanged || adapter.looksAround) && adapter.mayFind(text, settings));

/** Whether a closer look may find automation. */
export const mayFindAutomation = (candidate: Candidate) =>
  looking(candidate).some(({ isEvidence }) => isEvidence);

export interface Taken {
  readonly text: string;
  readonly parts: readonly TakenPart[];
  /** What could not be stopped, each the end of a sentence about the file. */
  readonly problems: readonly string[];
}

const MOST = 500;

export function take(input: TakeInput): Taken {
  const { path, fields, settings } = input;
  let { text } = input;
  const parts: TakenPart[] = [];
  const problems: string[] = [];
  for (const adapter of looking(input)) {
    for (let round = 0; round < MOST; round += 1) {
      const parsed = tryParse(path, text);
      const file = parsed && { path, parsed, fields, settings };
      const problem = file && adapter.unable?.(file);
      if (problem && !problems.includes(problem)) problems.push(problem);
      const found = file && adapter.find(file);
      if (!found) break;
      const taken = apply(path, text, adapter.name, found);
      if (taken === null) {
        problems.push(`has a part for ${adapter.name} that cannot be taken away and given back exactly`);
        break;
      }
      text = taken.text;
      parts.push(taken.part);
    }
  }
  return { text, parts, problems };
}

function apply(path: string, text: string, adapter: string, found: Taking) {
  const { start, end, part } = found;
  const next = text.slice(0, start) + found.text + text.slice(end);
  const made: TakenPart = { adapter, path, ...part, took: text.slice(start, end) };
  const back = giveBack(next, made);
  return 'text' in back && back.text === text && next !== text ? { text: next, part: made } : null;
}

/** Automation that moves restored fields by itself: a rollback that finds any holds them by default. */
export function findsAutomation(input: TakeInput): boolean {
  const adapters = looking(input).filter(({ isEvidence }) => isEvidence);
  const parsed = adapters.length === 0 ? null : tryParse(input.path, input.text);
  if (parsed === null) return false;
  const { path, fields, settings } = input;
  return adapters.some((adapter) => adapter.find({ path, parsed, fields, settings }) !== null);
}
